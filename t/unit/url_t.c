/* SPDX-License-Identifier: Apache-2.0 */
/* Normal forms of URLs: what is decoded, what is encoded, what is refused; splitting; hosts; parameters. Each table is
 * what is written -> what comes out. */
#include "config.h"

#include "mod_redir307/url.h"
#include "t/lib/tap.h"

#include <stdlib.h>

/* For bytes that hold a NUL: a literal with its size. */
#define BYTES(literal) (literal), sizeof(literal) - 1

struct form {
    const char *from;
    const char *to; /* NULL: no valid path */
};

/* The normal form in memory of exactly the promised size, so that a byte too many is seen by a sanitizer. */
static bool normalize(struct slice path, char **buffer, struct slice *normal)
{
    size_t size = 3 * path.size + 1;
    char *copy = malloc(path.size + 1);
    bool is_valid;

    memcpy(copy, path.data, path.size);
    *buffer = malloc(size);
    is_valid = url_normalize_path(slice_of(copy, path.size), *buffer, size, normal);
    if (is_valid && normal->data == copy) {
        memcpy(*buffer, copy, path.size);
        *normal = slice_of(*buffer, path.size);
    }
    free(copy);
    return is_valid;
}

static void check_paths(const struct form *forms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice from = slice_from_string(forms[i].from), normal, again;
        char name[256], *buffer, *buffer2;
        bool is_valid = normalize(from, &buffer, &normal);

        if (!forms[i].to) {
            snprintf(name, sizeof(name), "%s is no path", forms[i].from);
            ok(!is_valid, name);
        } else {
            snprintf(name, sizeof(name), "%s is %s", forms[i].from, forms[i].to);
            if (ok(is_valid, name) && is_slice(normal, forms[i].to, name)) {
                bool is_same = normalize(normal, &buffer2, &again) && slice_equal(normal, again);
                ok(is_same, "a normal form is its own");
                free(buffer2);
            }
        }
        free(buffer);
    }
}
#define check(forms) check_paths((forms), sizeof(forms) / sizeof(forms)[0])

static void escapes_of_bare_bytes_are_decoded(void)
{
    static const struct form forms[] = {
        { "/", "/" },
        { "/old", "/old" },
        { "/o%6cd", "/old" },
        { "/o%6Cd", "/old" },
        { "/%41%5A%61%7A%30%39", "/AZaz09" },
        { "/%2D%2E%5F%7E", "/-._~" },
        { "/%21%24%26%27%28%29%2A%2B%2C%3B%3D", "/!$&'()*+,;=" },
        { "/%3A%40", "/:@" },
        { "/a:b@c", "/a:b@c" },
        { "/%7euser", "/~user" },
    };
    check(forms);
}

static void other_bytes_are_escaped_in_upper_case(void)
{
    static const struct form forms[] = {
        { "/p/%0d%0aSet-Cookie:x=1", "/p/%0D%0ASet-Cookie:x=1" },
        { "/p/%0a", "/p/%0A" },
        { "/p/%0d%0a%20fold", "/p/%0D%0A%20fold" },
        { "/p/%0d%0a%09fold", "/p/%0D%0A%09fold" },
        { "/p/\r\n x", "/p/%0D%0A%20x" },
        { "/p/\t\x7f\x01\x1b", "/p/%09%7F%01%1B" },
        { "/p/%09%7f%01%1b", "/p/%09%7F%01%1B" },
        { "/p/%ff", "/p/%FF" },
        { "/p/\xff", "/p/%FF" },
        { "/p/%c0%ae%c0%ae/", "/p/%C0%AE%C0%AE/" },
        { "/caf\xc3\xa9", "/caf%C3%A9" },
        { "/r/%e3%80%82evil", "/r/%E3%80%82evil" },
        { "/r/%ef%bc%8f", "/r/%EF%BC%8F" },
        { "/p/%3Fa=b", "/p/%3Fa=b" },
        { "/p/%3fa=b", "/p/%3Fa=b" },
        { "/p/?x", "/p/%3Fx" },
        { "/p/%23x", "/p/%23x" },
        { "/p/#x", "/p/%23x" },
        { "/p/%25", "/p/%25" },
        { "/p/%2541", "/p/%2541" },
        { "/p/%252e%252e/x", "/p/%252e%252e/x" },
        { "/p/\"><script>", "/p/%22%3E%3Cscript%3E" },
        { "/p/%22%3e", "/p/%22%3E" },
        { "/p/a%5cb", "/p/a%5Cb" },
        { "/p/a\\b", "/p/a%5Cb" },
        { "/p/{x}|^`", "/p/%7Bx%7D%7C%5E%60" },
        { "/p/%7bx%7d%7c%5e%60", "/p/%7Bx%7D%7C%5E%60" },
        { "/p/[1]", "/p/%5B1%5D" },
        { "/p/%5b1%5d", "/p/%5B1%5D" },
        { "/a b", "/a%20b" },
        { "/a%20b", "/a%20b" },
        { "/a+b", "/a+b" },
    };
    check(forms);
}

static void an_escaped_slash_stays_itself(void)
{
    static const struct form forms[] = {
        { "/a%2Fb", "/a%2Fb" },
        { "/a%2fb", "/a%2Fb" },
        { "/r/%2fevil.test", "/r/%2Fevil.test" },
        { "/r/%2f%2fevil.test", "/r/%2F%2Fevil.test" },
        { "/%2f", "/%2F" },
        { "/a/..%2fb", "/a/..%2Fb" },
        { "/a%2f../b", "/a%2F../b" },
        { "/%2f/../b", "/b" },
    };
    check(forms);
}

static void dots_and_slashes_are_cleared(void)
{
    static const struct form forms[] = {
        { "/./old", "/old" },
        { "/a/../old", "/old" },
        { "/%2e/old", "/old" },
        { "/a/%2E%2e/old", "/old" },
        { "/a/.%2e/old", "/old" },
        { "/a/%2e./old", "/old" },
        { "//old", "/old" },
        { "///evil.test", "/evil.test" },
        { "//evil.test/p/x", "/evil.test/p/x" },
        { "/a/", "/a/" },
        { "/a//", "/a/" },
        { "/a///b", "/a/b" },
        { "/.", "/" },
        { "/./", "/" },
        { "/a/.", "/a/" },
        { "/a/./", "/a/" },
        { "/a/..", "/" },
        { "/a/../", "/" },
        { "/a/b/..", "/a/" },
        { "/a/b/../", "/a/" },
        { "/a/b/../..", "/" },
        { "/a/b/../../c", "/c" },
        { "/a//../b", "/b" }, /* as httpd, which merges slashes first */
        { "/..", NULL },
        { "/../old", NULL },
        { "/%2e%2e/old", NULL },
        { "/a/../../old", NULL },
        { "/a/b/../../../", NULL },
        { "/...", "/..." },
        { "/.../..", "/" },
        { "/.hidden", "/.hidden" },
        { "/..hidden", "/..hidden" },
        { "/a./b../", "/a./b../" },
        { "/p/..;/x", "/p/..;/x" },
        { "/old;v=1", "/old;v=1" },
        { "/old%3bv", "/old;v" },
    };
    check(forms);
}

static void what_is_no_path_is_refused(void)
{
    static const struct form forms[] = {
        { "", NULL },        { "old", NULL },      { "*", NULL },          { "http://h/x", NULL },
        { "?x", NULL },      { "/old%", NULL },    { "/old%z", NULL },     { "/old%zz", NULL },
        { "/old%1", NULL },  { "/old%1g", NULL },  { "/old%u0041", NULL }, { "/%%41", NULL },
        { "/old%00", NULL }, { "/old%00.html", NULL }, { "/%", NULL },     { "%2Fold", NULL },
    };
    struct slice normal;
    char buffer[64];

    check(forms);
    ok(!url_normalize_path(slice_of(BYTES("/a\0b")), buffer, sizeof(buffer), &normal), "a NUL is refused");
    ok(!url_normalize_path(slice_of(BYTES("/\0")), buffer, sizeof(buffer), &normal), "at the end, too");
}

static void a_plain_path_is_not_copied(void)
{
    struct slice path = SLICE("/p/a-b_c~d.e/x;y=1"), normal;

    ok(url_normalize_path(path, NULL, 0, &normal), "no buffer is needed");
    ok(normal.data == path.data && normal.size == path.size, "the path itself is the answer");
    ok(!url_normalize_path(SLICE("/a//b"), NULL, 0, &normal), "without a buffer what is not plain fails");
}

static void a_small_buffer_is_never_overrun(void)
{
    struct slice path = SLICE("/\x80\x81\x82"), normal;

    for (size_t size = 0; size <= 3 * path.size + 1; size++) {
        char *buffer = malloc(size + 1);
        bool fits = url_normalize_path(path, buffer, size, &normal);

        if (fits != (size == 3 * path.size + 1)) ok(false, "three times its size and one suffice");
        free(buffer);
    }
    ok(true, "every size was tried");
}

static void the_longest_paths_are_done_at_once(void)
{
    static char path[URL_PATH_LIMIT], buffer[URL_NORMAL_LIMIT + 1];
    struct slice normal;

    memset(path, '/', sizeof(path));
    ok(url_normalize_path(slice_of(path, sizeof(path)), buffer, sizeof(buffer), &normal), "slashes only");
    is_slice(normal, "/", "are one");
    for (size_t i = 1; i < sizeof(path); i += 2) path[i] = 'a';
    ok(url_normalize_path(slice_of(path, sizeof(path)), buffer, sizeof(buffer), &normal), "4096 segments");
    is_number(normal.size, sizeof(path), "stay");
    memset(path + 1, 0xff, sizeof(path) - 1);
    ok(url_normalize_path(slice_of(path, sizeof(path)), buffer, sizeof(buffer), &normal), "bytes past ASCII only");
    is_number(normal.size, 3 * (sizeof(path) - 1) + 1, "grow to three times");
    for (size_t i = 0; i + 3 <= sizeof(path); i += 3) memcpy(path + i, "/..", 3);
    ok(!url_normalize_path(slice_of(path, sizeof(path)), buffer, sizeof(buffer), &normal), "out of the root");
}

/* Every byte, bare and escaped, against RFC 3986, 3.3, written once more. */
static void every_byte_is_where_it_belongs(void)
{
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";
    unsigned wrong = 0;

    for (unsigned byte = 1; byte < 256; byte++) {
        char raw[4] = { '/', 'x', (char)byte, 0 }, escaped[8], want[8], buffer[32];
        struct slice normal;
        bool is_bare = memchr(bare, (int)byte, sizeof(bare) - 1);

        snprintf(escaped, sizeof(escaped), "/x%%%02x", byte);
        snprintf(want, sizeof(want), is_bare ? "/x%c" : "/x%%%02X", byte);
        if (byte != '/' && byte != '%'
            && (!url_normalize_path(slice_of(raw, 3), buffer, sizeof(buffer), &normal)
                || !slice_equal(normal, slice_from_string(want)))) {
            wrong++;
        }
        if (!url_normalize_path(slice_from_string(escaped), buffer, sizeof(buffer), &normal)
            || !slice_equal(normal, slice_from_string(want))) {
            wrong++;
        }
    }
    is_number(wrong, 0, "bare or escaped, each byte has one form");
}

/* Long paths are looked at many bytes at a time: whatever stands anywhere in one, the form is that of the same bytes
 * taken one by one. */
static void every_byte_counts_wherever_it_stands(void)
{
    static const char *const around[] = { "", "/", ".", "/.", "//", "%" };
    unsigned wrong = 0;

    for (size_t size = 2; size <= 51; size++) {
        for (size_t at = 1; at < size; at++) {
            for (unsigned byte = 1; byte < 2 * 256; byte++) {
                char path[64], want[256], buffer[256], *out = want;
                struct slice normal;
                bool is_first = byte >= 256; /* of its segment */

                if (strchr("%/.", (int)(byte % 256)) || (is_first && at < 3)) continue;
                memset(path, 'a', size);
                path[0] = '/';
                if (is_first) path[at - 1] = '/';
                path[at] = (char)byte;
                for (size_t i = 0; i < size; i++) {
                    char one[3] = { '/', path[i], 0 };

                    if (path[i] == '/') {
                        *out++ = '/';
                        continue;
                    }
                    url_normalize_path(slice_of(one, 2), buffer, sizeof(buffer), &normal);
                    memcpy(out, normal.data + 1, normal.size - 1);
                    out += normal.size - 1;
                }
                if (!url_normalize_path(slice_of(path, size), buffer, sizeof(buffer), &normal)
                    || !slice_equal(normal, slice_of(want, (size_t)(out - want)))) {
                    wrong++;
                }
            }
        }
    }
    is_number(wrong, 0, "bytes");

    for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
        for (size_t size = 12; size <= 51; size++) {
            for (size_t at = 1; at + strlen(around[i]) + 4 < size; at++) {
                char path[64], buffer[256], again[256];
                struct slice normal, same;

                memset(path, 'a', size);
                path[0] = '/';
                path[at] = '/';
                memcpy(path + at + 1, around[i], strlen(around[i]));
                path[at + 1 + strlen(around[i])] = '/';
                bool is_valid = url_normalize_path(slice_of(path, size), buffer, sizeof(buffer), &normal);
                if (is_valid == (around[i][0] == '%')) wrong++;
                if (!is_valid) continue;
                for (size_t k = 1; k < normal.size; k++) wrong += normal.data[k] == '/' && normal.data[k - 1] == '/';
                for (size_t k = 2; k < normal.size; k++) {
                    wrong += normal.data[k] == '/' && normal.data[k - 1] == '.' && normal.data[k - 2] == '/';
                }
                if (!url_normalize_path(normal, again, sizeof(again), &same) || same.data != normal.data) wrong++;
            }
        }
    }
    is_number(wrong, 0, "slashes, dots and bad escapes");
}

static void text_inside_a_segment(void)
{
    char out[64];

    is_slice(slice_of(out, url_normalize_text(SLICE("a/b"), out)), "a%2Fb", "a slash is escaped");
    is_slice(slice_of(out, url_normalize_text(SLICE("a%2fb"), out)), "a%2Fb", "an escaped one stays");
    is_slice(slice_of(out, url_normalize_text(SLICE(".."), out)), "..", "dots are left");
    is_slice(slice_of(out, url_normalize_text(SLICE("%41%20 "), out)), "A%20%20", "otherwise as in a path");
    is_number(url_normalize_text(SLICE(""), out), 0, "nothing is nothing");
    ok(url_normalize_text(SLICE("%4"), out) == SIZE_MAX, "a bad escape");
    ok(url_normalize_text(slice_of(BYTES("a\0")), out) == SIZE_MAX, "a NUL");
    ok(url_normalize_text(SLICE("%00"), out) == SIZE_MAX, "an escaped NUL");
}

static void queries_are_decoded_once(void)
{
    static const struct form forms[] = {
        { "", "" },         { "a", "a" },         { "a+b", "a b" },  { "a%20b", "a b" }, { "a%2Bb", "a+b" },
        { "%2541", "%41" }, { "%", "%" },         { "%4", "%4" },    { "%zz", "%zz" },   { "100%", "100%" },
        { "%3D%26", "=&" }, { "%c3%a9", "\xc3\xa9" }, { "%%41", "%A" }, { "a;b", "a;b" },
    };
    char out[64];

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct slice got = slice_of(out, url_decode_query(slice_from_string(forms[i].from), out));
        is_slice(got, forms[i].to, forms[i].from);
    }
    is_bytes(out, url_decode_query(SLICE("a%00b"), out), "a\0b", 3, "a NUL is a byte");
}

static void bytes_are_encoded_for_their_place(void)
{
    static const struct place {
        enum url_place place;
        const char *from, *to;
    } places[] = {
        { URL_IN_SEGMENT, "a/b?c#d%e", "a%2Fb%3Fc%23d%25e" },
        { URL_IN_SEGMENT, "a:b@c!$&'()*+,;=", "a:b@c!$&'()*+,;=" },
        { URL_IN_SEGMENT, "\r\n\t \\\"<>^`{|}[]", "%0D%0A%09%20%5C%22%3C%3E%5E%60%7B%7C%7D%5B%5D" },
        { URL_IN_PATH, "a/b?c", "a/b%3Fc" },
        { URL_IN_QUERY, "a=%0d%0aX:y&b=/?[]", "a=%0d%0aX:y&b=/?[]" },
        { URL_IN_QUERY, "a=\r\n \"<>#\\^`{|}", "a=%0D%0A%20%22%3C%3E%23%5C%5E%60%7B%7C%7D" },
        { URL_IN_QUERY, "a=\xff", "a=%FF" },
        { URL_IN_QUERY, "100%", "100%" },
        { URL_IN_VALUE, "a&b=c+d;e#f", "a%26b%3Dc%2Bd%3Be%23f" },
        { URL_IN_VALUE, "a b%", "a%20b%25" },
        { URL_IN_VALUE, "https://h/?", "https://h/?" },
        { URL_IN_FRAGMENT, "a/b?c#d", "a/b?c%23d" },
        { URL_IN_FRAGMENT, "\x7f\x80", "%7F%80" },
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct slice from = slice_from_string(places[i].from);
        size_t need = url_encode(from, places[i].place, NULL, 0);
        char *out = malloc(need);

        is_number(need, strlen(places[i].to), "the size is told without a buffer");
        is_number(url_encode(from, places[i].place, out, need), need, "and is the same with one");
        is_bytes(out, need, places[i].to, strlen(places[i].to), places[i].from);
        free(out);
    }

    char small[5] = "####";
    is_number(url_encode(SLICE("ab\xff"), URL_IN_PATH, small, 4), 5, "what does not fit is counted");
    is_bytes(small, 4, "ab##", 4, "and not written");
}

static void urls_are_split(void)
{
    static const struct split {
        const char *url;
        bool is_good;
        const char *scheme, *userinfo, *host, *port, *path, *query, *fragment; /* NULL: not there */
    } splits[] = {
        { "https://h.example/a?b#c", true, "https", "", "h.example", "", "/a", "b", "c" },
        { "https://h.example:8443", true, "https", "", "h.example", "8443", "", NULL, NULL },
        { "https://h.example:", true, "https", "", "h.example", "", "", NULL, NULL },
        { "https://u:p@h/", true, "https", "u:p", "h", "", "/", NULL, NULL },
        { "https://a@b@c/", true, "https", "a@b", "c", "", "/", NULL, NULL },
        { "https://new.test@evil.test/", true, "https", "new.test", "evil.test", "", "/", NULL, NULL },
        { "https://new.test:80@evil/", true, "https", "new.test:80", "evil", "", "/", NULL, NULL },
        { "https://h/p@q:r", true, "https", "", "h", "", "/p@q:r", NULL, NULL },
        { "https://h?@evil", true, "https", "", "h", "", "", "@evil", NULL },
        { "https://h#@evil", true, "https", "", "h", "", "", NULL, "@evil" },
        { "//h/a", true, "", "", "h", "", "/a", NULL, NULL },
        { "///a", true, "", "", "", "", "/a", NULL, NULL },
        { "/a:b", true, "", NULL, NULL, NULL, "/a:b", NULL, NULL },
        { "/a?b?c#d#e", true, "", NULL, NULL, NULL, "/a", "b?c", "d#e" },
        { "/a?", true, "", NULL, NULL, NULL, "/a", "", NULL },
        { "/a#", true, "", NULL, NULL, NULL, "/a", NULL, "" },
        { "/a#b?c", true, "", NULL, NULL, NULL, "/a", NULL, "b?c" },
        { "", true, "", NULL, NULL, NULL, "", NULL, NULL },
        { "javascript:alert(1)", true, "javascript", NULL, NULL, NULL, "alert(1)", NULL, NULL },
        { "https:/h", true, "https", NULL, NULL, NULL, "/h", NULL, NULL },
        { "https:h", true, "https", NULL, NULL, NULL, "h", NULL, NULL },
        { ":x", true, "", NULL, NULL, NULL, ":x", NULL, NULL },
        { "http://[::1]:80/a", true, "http", "", "::1", "80", "/a", NULL, NULL },
        { "http://[::1]", true, "http", "", "::1", "", "", NULL, NULL },
        { "http://u@[fe80::1]/", true, "http", "u", "fe80::1", "", "/", NULL, NULL },
        { "http://[::1", false, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
        { "http://[::1]x/", false, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
        { "http://[/", false, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
    };

    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        const struct split *want = &splits[i];
        struct url_parts got;
        char name[128];

        snprintf(name, sizeof(name), "split \"%s\"", want->url);
        if (!ok(url_split(slice_from_string(want->url), &got) == want->is_good, name) || !want->is_good) continue;
        is_slice(got.scheme, want->scheme, "scheme");
        is_number(got.has_authority, want->host != NULL, "authority");
        if (want->host) {
            is_slice(got.userinfo, want->userinfo, "userinfo");
            is_slice(got.host, want->host, "host");
            is_slice(got.port, want->port, "port");
        }
        is_slice(got.path, want->path, "path");
        is_number(got.has_query, want->query != NULL, "has a query");
        if (want->query) is_slice(got.query, want->query, "query");
        is_number(got.has_fragment, want->fragment != NULL, "has a fragment");
        if (want->fragment) is_slice(got.fragment, want->fragment, "fragment");
    }
}

static void hosts_have_one_form(void)
{
    static const struct form forms[] = {
        { "LAB.TEST", "lab.test" },
        { "lab.test.", "lab.test" },
        { "xn--Bcher-kva.example", "xn--bcher-kva.example" },
        { "FE80::1", "fe80::1" },
        { "::1", "::1" },
        { "a_b", "a_b" },
        { "127.1", "127.1" },
        { "", NULL },
        { ".shop.test", NULL },
        { "a b", NULL },
        { "a@b", NULL },
        { "a/b", NULL },
        { "a\\b", NULL },
        { "a?b", NULL },
        { "a#b", NULL },
        { "a%41", NULL },
        { "[::1]", NULL },
        { "b\xc3\xbc" "cher.example", NULL },
        { "a\r\nb", NULL },
        { "a\x7f", NULL },
    };
    char buffer[URL_HOST_LIMIT + 1], longest[URL_HOST_LIMIT + 3];
    struct slice normal;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        bool is_valid = url_normalize_host(slice_from_string(forms[i].from), buffer, &normal);

        if (!forms[i].to) ok(!is_valid, "no host");
        else if (ok(is_valid, forms[i].from)) is_slice(normal, forms[i].to, forms[i].from);
    }
    memset(longest, 'a', sizeof(longest));
    ok(url_normalize_host(slice_of(longest, URL_HOST_LIMIT), buffer, &normal), "the longest host");
    ok(!url_normalize_host(slice_of(longest, URL_HOST_LIMIT + 1), buffer, &normal), "one byte more");
    longest[URL_HOST_LIMIT] = '.';
    ok(url_normalize_host(slice_of(longest, URL_HOST_LIMIT + 1), buffer, &normal), "the last dot does not count");
    ok(!url_normalize_host(slice_of(BYTES("a\0b")), buffer, &normal), "a NUL");
}

static void parameters_come_one_by_one(void)
{
    static const struct parameters {
        const char *query;
        const char *wholes[4], *names[4], *values[4]; /* value NULL: there is no "=" */
    } rows[] = {
        { "a=1&b=2", { "a=1", "b=2" }, { "a", "b" }, { "1", "2" } },
        { "a", { "a" }, { "a" }, { NULL } },
        { "a=", { "a=" }, { "a" }, { "" } },
        { "=v", { "=v" }, { "" }, { "v" } },
        { "=", { "=" }, { "" }, { "" } },
        { "a=b=c", { "a=b=c" }, { "a" }, { "b=c" } },
        { "&&a=1&&", { "a=1" }, { "a" }, { "1" } },
        { "", { NULL }, { NULL }, { NULL } },
        { "&", { NULL }, { NULL }, { NULL } },
        { "a;b=c", { "a;b=c" }, { "a;b" }, { "c" } },
        { "a%3D=1&b%26c", { "a%3D=1", "b%26c" }, { "a%3D", "b%26c" }, { "1", NULL } },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice rest = slice_from_string(rows[i].query);
        struct url_parameter parameter;
        unsigned count = 0;

        for (; url_next_parameter(&rest, &parameter) && rows[i].wholes[count]; count++) {
            is_slice(parameter.whole, rows[i].wholes[count], "as sent");
            is_slice(parameter.name, rows[i].names[count], "name");
            is_number(parameter.has_value, rows[i].values[count] != NULL, "has a value");
            is_slice(parameter.value, rows[i].values[count] ? rows[i].values[count] : "", "value");
        }
        ok(!rows[i].wholes[count] && rest.size == 0, rows[i].query);
    }
}

static void schemes_have_ports(void)
{
    is_number(url_default_port(SLICE("http")), 80, "http");
    is_number(url_default_port(SLICE("https")), 443, "https");
    is_number(url_default_port(SLICE("HTTP")), 0, "schemes are given in lower case");
    is_number(url_default_port(SLICE("")), 0, "none");
}

/* Hosts and targets are looked at in blocks, whose edges lie elsewhere for each length. */
static void every_byte_of_a_host_and_of_a_target_counts(void)
{
    unsigned wrong_hosts = 0, wrong_targets = 0;
    char text[40], buffer[URL_HOST_LIMIT + 1];
    struct slice normal;

    for (size_t size = 1; size <= sizeof text; size++) {
        memset(text, 'a', sizeof text);
        for (size_t at = 0; at < size; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                bool is_letter = (byte | 32) >= 'a' && (byte | 32) <= 'z', is_digit = byte >= '0' && byte <= '9';
                bool may_be_in_host = is_letter || is_digit || (byte && byte < 128 && strchr("-._~!$&'()*+,;=:", (int)byte));
                bool may_be_sent = byte > ' ' && byte < 127 && !strchr("\"<>\\^`{|}", (int)byte);

                text[at] = (char)byte;
                bool is_host = url_normalize_host(slice_of(text, size), buffer, &normal);
                if (byte == '.' && (at == 0 || at + 1 == size)) may_be_in_host = size > 1 && at > 0;
                if (is_host != may_be_in_host) wrong_hosts++;
                if (is_host && is_letter && normal.data[at] != (char)(byte | 32)) wrong_hosts++;
                if (url_is_visible(slice_of(text, size)) != may_be_sent) wrong_targets++;
            }
            text[at] = 'a';
        }
    }
    is_number(wrong_hosts, 0, "each byte of a host, in each place, of each length");
    is_number(wrong_targets, 0, "and each byte of a target");
}

int main(void)
{
    escapes_of_bare_bytes_are_decoded();
    other_bytes_are_escaped_in_upper_case();
    an_escaped_slash_stays_itself();
    dots_and_slashes_are_cleared();
    what_is_no_path_is_refused();
    a_plain_path_is_not_copied();
    a_small_buffer_is_never_overrun();
    the_longest_paths_are_done_at_once();
    every_byte_is_where_it_belongs();
    every_byte_counts_wherever_it_stands();
    text_inside_a_segment();
    queries_are_decoded_once();
    bytes_are_encoded_for_their_place();
    urls_are_split();
    hosts_have_one_form();
    every_byte_of_a_host_and_of_a_target_counts();
    parameters_come_one_by_one();
    schemes_have_ports();
    return tap_done();
}
