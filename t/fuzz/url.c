/* SPDX-License-Identifier: Apache-2.0 */
/* A request target, whatever its bytes: its normal form is one, has nothing that splits or leads up, and what rules make
 * of it stays at the hosts that the rules name. The input is a path, then (behind the first NUL) a query, then a host. */
#include "config.h"

#include "t/fuzz/target.h"
#include "t/lib/ask_all.h"
#include "t/lib/rules.h"

static struct rules rules;
static struct answer_scratch scratch;

/* Targets that begin with what is pasted, end with it, hold it between; every place and every transform. */
static const char text[] =
    "/ -> /home\n/r/* -> /*\n/s/* -> /s/*\n/t/{x}-* -> /{x}/*\n/h/{x}/* -> https://t.example/{x}*\n/e/* -> https://t.example/*\n"
    "/q?x={x} -> /{x}\n/q?x={x}&y={y} -> /{x}{y}\n/v?x={x} -> /v?a={x}&b={query}#{x}\n/raw -> https://t.example{path}?{query}\n"
    "/lo/{x}/{y} -> /{x|lower}/{y|upper}\n/da/{x...} -> /{x|dashes}\n/l/{x...}/z -> /{x}\n/u/{x}.{y} -> /{y}.{x}\n"
    "/b/1.* -> /*\n/k/{a}{b:int}{c} -> /{a}/{b}/{c}\n/p/* -> /p{path}\n"
    "~ \"^/g/(.*)-(.*)$\" -> /{1}/{2}\n~ \"/any(.*)\" -> https://t.example/{1}\n"
    "site **.example.com {\n/tls/* -> https:\n/self/* -> https://{host}/*\n/n/* -> /{host}/*\n/o/* -> https://x.example/?h={host}\n}\n";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return !rules_try(&rules, slice_from_string(text));
}

static bool has(struct slice whole, const char *part)
{
    size_t size = strlen(part);

    for (size_t at = 0; at + size <= whole.size; at++) {
        if (memcmp(whole.data + at, part, size) == 0) return true;
    }
    return false;
}

static void check_normal_form(struct slice path)
{
    size_t room = 3 * path.size + 1;
    char *buffer = malloc(room), *buffer2 = malloc(3 * room + 1);
    struct slice normal, again;

    if (url_normalize_path(path, buffer, room, &normal)) {
        fuzz_claim(normal.size > 0 && normal.data[0] == '/', "a path starts with a slash");
        fuzz_claim(!has(normal, "//"), "no empty segment");
        fuzz_claim(!has(normal, "/./") && !has(normal, "/../"), "no dot segment");
        fuzz_claim(!(normal.size >= 2 && memcmp(normal.data + normal.size - 2, "/.", 2) == 0), "no dot at the end");
        fuzz_claim(!(normal.size >= 3 && memcmp(normal.data + normal.size - 3, "/..", 3) == 0), "no two dots at the end");
        fuzz_claim(url_is_visible(normal), "visible ASCII only");
        fuzz_claim(!has(normal, "?") && !has(normal, "#"), "neither ? nor #");
        fuzz_claim(url_normalize_path(normal, buffer2, 3 * room + 1, &again) && slice_equal(normal, again),
                   "a normal form is its own");
        fuzz_claim(normal.data == path.data || normal.size <= 3 * path.size, "it grows to three times at most");
    }
    size_t size = url_normalize_text(path, buffer);
    if (size != SIZE_MAX) {
        fuzz_claim(size <= 3 * path.size, "a text grows to three times at most");
        fuzz_claim(!memchr(buffer, '/', size), "a segment stays one");
        fuzz_claim(url_normalize_text(slice_of(buffer, size), buffer2) == size && memcmp(buffer, buffer2, size) == 0,
                   "a text's normal form is its own");
    }
    free(buffer);
    free(buffer2);
}

/* What url_encode wrote, taken back by the system's own reader of numbers. */
static size_t decode(struct slice written, char *out)
{
    size_t size = 0;

    for (size_t i = 0; i < written.size; i++) {
        if (written.data[i] == '%' && i + 2 < written.size) {
            const char digits[] = { written.data[i + 1], written.data[i + 2], '\0' };

            out[size++] = (char)strtoul(digits, NULL, 16);
            i += 2;
        } else {
            out[size++] = written.data[i];
        }
    }
    return size;
}

static void check_encoding(struct slice bytes)
{
    size_t room = 3 * bytes.size + 1;
    char *buffer = malloc(room), *decoded = malloc(room);

    for (int place = URL_IN_SEGMENT; place <= URL_IN_FRAGMENT; place++) {
        size_t size = url_encode(bytes, (enum url_place)place, buffer, room);
        struct slice out = slice_of(buffer, size);

        fuzz_claim(size == url_encode(bytes, (enum url_place)place, NULL, 0), "its size is told before");
        fuzz_claim(size < room && url_is_visible(out) && !has(out, "#"), "nothing that ends or splits");
        if (place == URL_IN_SEGMENT) fuzz_claim(!has(out, "/") && !has(out, "?"), "a segment stays one");
        if (place == URL_IN_VALUE) fuzz_claim(!has(out, "&") && !has(out, "=") && !has(out, "+"), "a value stays one");
        if (place == URL_IN_QUERY) continue; /* escapes are left as they were sent */
        size = decode(out, decoded);
        fuzz_claim(slice_equal(slice_of(decoded, size), bytes), "decoded, it is what it was");
    }
    fuzz_claim(url_decode_query(bytes, decoded) <= bytes.size, "decoding makes nothing longer");
    free(buffer);
    free(decoded);
}

static void check_parts(struct slice whole)
{
    struct url_parts parts;
    struct url_parameter parameter;
    struct slice rest = whole;
    size_t used = 0;

    if (url_split(whole, &parts)) {
        fuzz_claim(parts.scheme.size + parts.userinfo.size + parts.host.size + parts.port.size + parts.path.size
                           + parts.query.size + parts.fragment.size <= whole.size, "parts of the whole");
    }
    while (url_next_parameter(&rest, &parameter)) {
        fuzz_claim(parameter.whole.size > 0 && !memchr(parameter.whole.data, '&', parameter.whole.size), "one parameter");
        fuzz_claim(parameter.name.size + parameter.value.size + parameter.has_value == parameter.whole.size, "name and value");
        used += parameter.whole.size;
    }
    fuzz_claim(used <= whole.size && rest.size == 0, "all are read");
}

/* A Location is a path, or at a host that a rule names. */
static void check_location(struct slice location, struct slice host)
{
    struct url_parts parts;

    fuzz_claim(url_split(location, &parts), "a Location can be split");
    if (location.data[0] == '/') {
        fuzz_claim(parts.scheme.size == 0 && !parts.has_authority, "a path names no host");
    } else {
        bool is_named = slice_equal(parts.host, SLICE("t.example")) || slice_equal(parts.host, SLICE("x.example"));
        bool is_own = slice_equal(parts.host, host) && (slice_equal(host, SLICE("example.com")) || has(host, ".example.com"));

        fuzz_claim(is_named || is_own, "the host comes from the rules");
        fuzz_claim(parts.userinfo.size == 0 && parts.port.size == 0, "nobody and no port comes with it");
    }
    fuzz_claim(!has(parts.path, "/../") && !has(parts.path, "/./"), "no dot segment");
}

static void check_answer(struct slice path, struct slice query, struct slice raw_host)
{
    char host[URL_HOST_LIMIT + 1];
    struct request_key key = { .method = SLICE("GET"), .scheme = SLICE("http"), .port = 80, .path = path,
                               .has_query = query.size > 0, .query = query, .regex = rules.regex };
    struct answer answer;

    if (!url_normalize_host(raw_host, host, &key.host)) key.host = SLICE("www.example.com");
    answer_request(rules.ruleset, &key, &scratch, NULL, &answer);
    const char *wrong = ask_answer_is_sound(rules.ruleset, &answer);
    fuzz_claim(!wrong, wrong ? wrong : "answers");
    if (answer.outcome == ANSWER_SEND && answer.location.size) check_location(answer.location, key.host);
}

static struct slice next_text(const uint8_t **bytes, size_t *size)
{
    const uint8_t *end = *size ? memchr(*bytes, 0, *size) : NULL;
    struct slice part = slice_of((const char *)*bytes, end ? (size_t)(end - *bytes) : *size);

    *size -= part.size + (end != NULL);
    *bytes += part.size + (end != NULL);
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice whole = slice_of((const char *)bytes, size);

    check_normal_form(whole);
    check_encoding(whole);
    if (size) check_parts(whole);
    struct slice path = size ? next_text(&bytes, &size) : slice_of("", 0);
    struct slice query = size ? next_text(&bytes, &size) : slice_of("", 0);
    check_answer(path, query, slice_of((const char *)bytes, size));
    return 0;
}
