/* SPDX-License-Identifier: Apache-2.0 */
/* Request fields as they really arrive: cookies by name, and what Accept and Accept-Language say of a key. */
#include "config.h"

#include "mod_redir307/field.h"
#include "t/lib/tap.h"

static void names_compare_without_case(void)
{
    ok(field_equal(SLICE("Accept-LANGUAGE"), SLICE("accept-language")), "letters");
    ok(!field_equal(SLICE("accept"), SLICE("accept-")), "a longer name");
    ok(!field_equal(SLICE("a@"), SLICE("a`")), "only letters have a case: @ and ` differ by the same bit");
    ok(!field_equal(SLICE("[a"), SLICE("{a")), "nor do [ and {");
    ok(!field_equal(SLICE("\xc4"), SLICE("\xe4")), "nor bytes past ASCII");
    ok(field_equal(SLICE(""), slice_of(NULL, 0)), "nothing is nothing");
}

/* ---- cookies ---- */

static void cookies_are_found_by_their_name(void)
{
    static const struct cookie {
        const char *cookies, *value; /* NULL: not there */
    } rows[] = {
        { "beta=1", "1" },
        { "beta=10", "10" },
        { "beta=", "" },
        { "beta", NULL },
        { "", NULL },
        { "xbeta=1", NULL },
        { "beta2=1", NULL },
        { "Beta=1", NULL },
        { "BETA=1", NULL },
        { "a=beta=1", NULL },
        { "a=\"beta=1\"", NULL },
        { "a=1; beta=2", "2" },
        { "a=1;beta=2", "2" },
        { "a=1;  \tbeta=2", "2" },
        { "beta=1; beta=2", "1" },
        { "beta=1; c=2", "1" },
        { "beta=1,c=2", "1" }, /* two lines, joined */
        { "c=2, beta=1", "1" },
        { "beta = 1 ", "1" },
        { "beta=\"1\"", "1" },
        { "beta=\"\"", "" },
        { "beta=\"", "\"" },
        { "beta=\"1", "\"1" },
        { "beta=1\"", "1\"" },
        { "beta=a=b", "a=b" },
        { ";;;beta=1", "1" },
        { ";", NULL },
        { "=beta", NULL },
        { "a; beta=1", "1" },
        { "beta=\xff\x01", "\xff\x01" },
        { "$Version=1; beta=1", "1" },
        { "a=\"; beta=1", "1" }, /* a stray quote hides nothing: `;` always ends a cookie (RFC 6265, 4.1.1) */
        { "a=\"x; beta=1; c=y\"", "1" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice value;
        bool found = field_cookie(slice_from_string(rows[i].cookies), SLICE("beta"), &value);

        if (!rows[i].value) ok(!found, rows[i].cookies);
        else if (ok(found, rows[i].cookies)) is_slice(value, rows[i].value, "its value");
    }
}

static void a_long_row_of_cookies_is_read_to_its_end(void)
{
    static char row[8192];
    struct slice value;

    memset(row, 'x', sizeof(row));
    memcpy(row + sizeof(row) - 8, "; beta=1", 8);
    ok(field_cookie(slice_of(row, sizeof(row)), SLICE("beta"), &value), "eight kilobytes");
    is_slice(value, "1", "its value");
    memset(row, ';', sizeof(row));
    ok(!field_cookie(slice_of(row, sizeof(row)), SLICE("beta"), &value), "separators only");
    memset(row, '"', sizeof(row));
    ok(!field_cookie(slice_of(row, sizeof(row)), SLICE("beta"), &value), "quotes only");
}

/* ---- lists ---- */

struct list {
    const char *field, *key;
    int quality;
};

static void check(enum field_list list, const struct list *rows, size_t count)
{
    char name[256];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s in \"%s\"", rows[i].key, rows[i].field);
        is_number(field_quality(list, slice_from_string(rows[i].field), slice_from_string(rows[i].key)),
                  rows[i].quality, name);
    }
}
#define check_list(list, rows) check((list), (rows), sizeof(rows) / sizeof(rows)[0])

static void types_are_named_by_ranges(void)
{
    static const struct list rows[] = {
        { "text/turtle", "text/turtle", 1000 },
        { "Text/Turtle", "text/turtle", 1000 },
        { "text/*", "text/turtle", 1000 },
        { "TEXT/*", "text/turtle", 1000 },
        { "*/*", "text/turtle", FIELD_NOT_NAMED },
        { "*", "text/turtle", FIELD_NOT_NAMED },
        { "*/turtle", "text/turtle", FIELD_NOT_NAMED },
        { "", "text/turtle", FIELD_NOT_NAMED },
        { "text/turtles", "text/turtle", FIELD_NOT_NAMED },
        { "text/turtl", "text/turtle", FIELD_NOT_NAMED },
        { "text/", "text/turtle", FIELD_NOT_NAMED },
        { "text", "text/turtle", FIELD_NOT_NAMED },
        { "tex/*", "text/turtle", FIELD_NOT_NAMED },
        { "texts/*", "text/turtle", FIELD_NOT_NAMED },
        { "text/turtle;charset=utf-8", "text/turtle", 1000 },
        { "text/turtle ; charset=utf-8 ; q=0.5", "text/turtle", 500 },
        { "text/html, text/turtle", "text/turtle", 1000 },
        { "text/html,text/turtle;q=0.3", "text/turtle", 300 },
        { "text/*;q=0.2, text/turtle;q=0.9", "text/turtle", 900 },
        { "text/turtle;q=0.2, text/*;q=0.9", "text/turtle", 200 }, /* the most specific range says */
        { "text/turtle;q=0, text/*", "text/turtle", 0 },
        { "text/*;q=0, text/turtle", "text/turtle", 1000 },
        { "*/*;q=0.8", "text/turtle", FIELD_NOT_NAMED },
        { "application/ld+json", "application/ld+json", 1000 },
        { "text/turtle;a=\"x, text/html;q=1\";q=0.4", "text/html", FIELD_NOT_NAMED }, /* a quoted comma */
        { "text/turtle;a=\"x, text/html;q=1\";q=0.4", "text/turtle", 400 },
        { "text/turtle;a=\"\\\"\";q=0.4", "text/turtle", 400 },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "text/html", 1000 },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "text/turtle",
          FIELD_NOT_NAMED },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "image/png",
          FIELD_NOT_NAMED },
    };

    check_list(FIELD_MEDIA_TYPES, rows);
}

/* RFC 9110, 12.4.2: "0" [ "." 0*3DIGIT ] or "1" [ "." 0*3("0") ]. What is malformed is passed over. */
static void qualities_have_one_form(void)
{
    static const struct list rows[] = {
        { "a/b;q=1", "a/b", 1000 },
        { "a/b;q=1.", "a/b", 1000 },
        { "a/b;q=1.000", "a/b", 1000 },
        { "a/b;q=0", "a/b", 0 },
        { "a/b;q=0.", "a/b", 0 },
        { "a/b;q=0.000", "a/b", 0 },
        { "a/b;q=0.001", "a/b", 1 },
        { "a/b;q=0.5", "a/b", 500 },
        { "a/b;q=0.05", "a/b", 50 },
        { "a/b;q=0.999", "a/b", 999 },
        { "a/b;Q=0.5", "a/b", 500 },
        { "a/b; q=0.5", "a/b", 500 },
        { "a/b ;\tq=0.5 ", "a/b", 500 },
        { "a/b;q=1.001", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=1.0000", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=0.0001", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=2", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=-1", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=x", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=.5", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=0,5", "a/b", 0 }, /* a comma ends the element */
        { "a/b;q=0x5", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=00.5", "a/b", FIELD_NOT_NAMED },
        { "a/b;q=\"0.5\"", "a/b", FIELD_NOT_NAMED },
        { "a/b;q", "a/b", 1000 }, /* no weight: it is a parameter without a value */
        { "a/b;quality=0.5", "a/b", 1000 },
        { "a/b;q=x, a/b;q=0.4", "a/b", 400 }, /* the rest counts */
        { "a/b;q=0.4;ext=1", "a/b", 400 },
        { "a/b;q=0.4;q=0.9", "a/b", 400 },
        { "a/b;;q=0.4", "a/b", 400 },
        { ",,a/b;q=0.4,,", "a/b", 400 },
        { ";q=0.4, a/b", "a/b", 1000 },
    };

    check_list(FIELD_MEDIA_TYPES, rows);
}

static void languages_are_named_by_their_start(void)
{
    static const struct list rows[] = {
        { "de", "de", 1000 },
        { "DE", "de", 1000 },
        { "de-CH", "de", 1000 },
        { "de", "de-ch", 1000 },
        { "de-CH", "de-ch", 1000 },
        { "de-CH", "de-at", FIELD_NOT_NAMED },
        { "den", "de", FIELD_NOT_NAMED },
        { "d", "de", FIELD_NOT_NAMED },
        { "de", "den", FIELD_NOT_NAMED },
        { "*", "de", FIELD_NOT_NAMED },
        { "", "de", FIELD_NOT_NAMED },
        { "*;q=0.5, de;q=0", "de", 0 },
        { "fr, de;q=0.7", "de", 700 },
        { "de;q=0.1, de-CH;q=0.9", "de", 900 }, /* the longest range that names it */
        { "de-CH;q=0.9, de;q=0.1", "de", 900 },
        { "de-Latn-CH;q=0.3, de;q=0.8", "de-latn", 300 },
        { "de-Latn-CH;q=0.3, de;q=0.8", "de-at", 800 },
        { "zh-Hant-TW", "zh", 1000 },
        { "i-klingon", "i-klingon", 1000 },
        { "en-GB,en;q=0.9,de;q=0.8,*;q=0.5", "en", 1000 },
        { "en-GB,en;q=0.9,de;q=0.8,*;q=0.5", "fr", FIELD_NOT_NAMED },
        { "-", "de", FIELD_NOT_NAMED },
        { "de-", "de", 1000 },
    };

    check_list(FIELD_LANGUAGES, rows);
}

static void the_wildcard_is_asked_alone(void)
{
    static const struct wildcard {
        enum field_list list;
        const char *field;
        int quality;
    } rows[] = {
        { FIELD_MEDIA_TYPES, "", 1000 },
        { FIELD_MEDIA_TYPES, " \t", 1000 },
        { FIELD_MEDIA_TYPES, "*/*", 1000 },
        { FIELD_MEDIA_TYPES, "text/html, */*;q=0.8", 800 },
        { FIELD_MEDIA_TYPES, "*/*;q=0", 0 },
        { FIELD_MEDIA_TYPES, "*/*;q=0.1, */*;q=0.3", 300 },
        { FIELD_MEDIA_TYPES, "text/html", 0 },
        { FIELD_MEDIA_TYPES, "text/*", 0 },
        { FIELD_MEDIA_TYPES, "*", 0 },
        { FIELD_MEDIA_TYPES, "*/*;q=x", 0 },
        { FIELD_LANGUAGES, "", 1000 },
        { FIELD_LANGUAGES, "*", 1000 },
        { FIELD_LANGUAGES, "de, *;q=0.5", 500 },
        { FIELD_LANGUAGES, "de", 0 },
        { FIELD_LANGUAGES, "*-CH", 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_number(field_wildcard_quality(rows[i].list, slice_from_string(rows[i].field)), rows[i].quality,
                  rows[i].field);
}

int main(void)
{
    names_compare_without_case();
    cookies_are_found_by_their_name();
    a_long_row_of_cookies_is_read_to_its_end();
    types_are_named_by_ranges();
    qualities_have_one_form();
    languages_are_named_by_their_start();
    the_wildcard_is_asked_alone();
    return tap_done();
}
