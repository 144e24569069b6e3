/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that fill every section of a rule file and use every operation of the engine: what tests and fuzz targets that
 * damage rule files start from. */
#ifndef T_LIB_EVERY_RULE_H
#define T_LIB_EVERY_RULE_H

static const char every_rule[] =
    "/a -> /t1 permanent { note \"a note\"; owner \"team\" }\n"
    "/a/ -> /t2 { slash exact }\n"
    "/b -> /shared\n"
    "/c -> /shared\n"
    "/g gone { header X-B \"1\"; header Link \"</x>; rel=next\"; retry-after 1h; cache private 1h }\n"
    "/a/pass pass\n"
    "/a/* -> https://t.example/*\n"
    "/p/{id:int} -> /product/{id}\n"
    "/item-{id:int}.html -> /item?x={id}&h={host}#{id}\n"
    "/a/{x...}.ttl -> /ttl/{x}\n"
    "/a/1.* -> /one/*\n"
    "/{lang:en|de}/{x} -> /l/{lang}/{x|lower|dashes}\n"
    "/q?id={id}&lang=de -> /find?query={id}\n"
    "/q?k=1 -> /k { query only a utm_* }\n"
    "/q?k={x} -> /k/{x} { query drop }\n"
    "/long/{x}/{y}/{z} -> /{z}/{y}/{x}?p={path}&q={query}&s={scheme}\n"
    "~ \"^/x/(?<id>\\d+)$\" -> /rx/{id}\n"
    "/on -> by accept {\n"
    "    text/turtle  /on.ttl\n"
    "    text/html otherwise  /on.html found\n"
    "} see-other\n"
    "/share -> by client { 70 /one/; 30 /two/ }\n"
    "site shop.example h.example:8080 {\n"
    "    case ignore\n"
    "    timezone Europe/Berlin\n"
    "    cache 1h\n"
    "    /a -> /shop\n"
    "    /when/1 -> /w/1 { when method POST; unless header X-A = \"2\" }\n"
    "    /when/2 -> /w/2 { when cookie beta = \"2\"; when header User-Agent ~ \"^test/[0-9]\" }\n"
    "    /when/3 -> /w/3 { when accept text/turtle; when language de }\n"
    "    /when/4 -> /w/4 { when client 10.0.0.0/8 2001:db8::/32; when env A = \"1\"; when flag f }\n"
    "    /when/5 -> /w/5 { when chance 50%; unless busy 80%; when query k = \"1\" }\n"
    "    /when/* -> /w/other/* { from 2026-01-01; until 2027-01-01; daily 22:00-04:00; weekly sat,sun }\n"
    "    /when/* -> /w/rest/* { vary X-Country; preflight redirect }\n"
    "}\n"
    "site **.shop.example { /a -> https:\n"
    "  /a/b/* -> https://{host}/* }\n"
    "site {lang:en|de}.lang.example { /l/* -> /{lang}/* }\n"
    "site h.example { override\n"
    " /maintenance pass\n"
    " /a/b -> /override }\n";

#endif
