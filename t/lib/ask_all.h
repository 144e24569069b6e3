/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a ruleset whatever it holds: many requests, and of each answer what must hold for every rule file there can be,
 * also for one that is damaged or changes meanwhile. Needs libruleset alone. Header only. */
#ifndef T_LIB_ASK_ALL_H
#define T_LIB_ASK_ALL_H

#include "mod_redir307/answer.h"
#include "mod_redir307/regex.h"
#include "mod_redir307/url.h"

/* What may leave as a Location: visible ASCII, and a start that leads nowhere else by itself. */
static inline const char *ask_location_is_safe(struct slice location)
{
    for (size_t i = 0; i < location.size; i++) {
        unsigned char byte = (unsigned char)location.data[i];

        if (byte <= ' ' || byte >= 0x7f) return "a Location holds a control, a blank or a byte past ASCII";
        if (byte == '\\') return "a Location holds a backslash";
    }
    if (location.size > ANSWER_LOCATION_LIMIT) return "a Location is longer than its limit";
    if (location.data[0] == '/') {
        return location.size > 1 && location.data[1] == '/' ? "a Location starts with two slashes" : NULL;
    }
    if (slice_starts_with(location, SLICE("https://")) || slice_starts_with(location, SLICE("http://"))) return NULL;
    return "a Location is neither a path nor a URL";
}

static inline const char *ask_field_is_safe(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if ((byte < ' ' && byte != '\t') || byte >= 0x7f) return "a field holds a control";
    }
    return NULL;
}

static inline const char *ask_answer_is_sound(const struct ruleset *ruleset, const struct answer *answer)
{
    static const unsigned with_target[] = { 301, 302, 303, 307, 308 }, without[] = { 403, 404, 406, 410, 414, 451, 503 };
    const char *wrong = ask_field_is_safe(answer->vary);
    struct slice name, value;
    bool is_known = false;

    if (wrong) return wrong;
    if (answer->outcome != ANSWER_SEND) return answer->location.size ? "a Location without an answer" : NULL;
    for (size_t i = 0; i < sizeof(with_target) / sizeof(with_target[0]); i++) {
        is_known |= answer->status == with_target[i] && answer->location.size > 0;
    }
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        is_known |= answer->status == without[i] && answer->location.size == 0;
    }
    if (!is_known) return "a status that does not go with what is sent";
    if (answer->location.size) wrong = ask_location_is_safe(answer->location);
    if (!wrong) wrong = ask_field_is_safe(answer->cache_control);
    for (unsigned i = 0; !wrong && i < 100 && answer_header(ruleset, answer->headers, i, &name, &value); i++) {
        wrong = ask_field_is_safe(value);
        if (!wrong && name.size == 0) wrong = "a field without a name";
    }
    return wrong;
}

/* What every request of ask_all brings: each kind of condition finds something. */
static inline bool ask_header(void *baton, struct slice name, struct slice *value)
{
    static const char *const fields[][2] = {
        { "accept", "text/turtle, text/html;q=0.8, */*;q=0.1" }, { "accept-language", "de-CH, en;q=0.5" },
        { "cookie", "a=1; beta=\"2\"; beta=3" }, { "user-agent", "test/1" }, { "x-a", " 1 " },
    };

    (void)baton;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct slice own = slice_from_string(fields[i][0]);
        bool is_same = own.size == name.size;

        for (size_t k = 0; is_same && k < own.size; k++) is_same = (name.data[k] | 32) == own.data[k];
        if (!is_same) continue;
        *value = slice_from_string(fields[i][1]);
        return true;
    }
    return false;
}

static inline bool ask_env(void *baton, struct slice name, struct slice *value)
{
    (void)baton;
    *value = SLICE("1");
    return slice_equal(name, SLICE("A"));
}

static inline bool ask_flag(void *baton, struct slice name)
{
    (void)baton;
    return slice_equal(name, SLICE("f"));
}

/* One request. `number` makes methods, schemes, clients, times and draws vary. NULL: all is well. */
static inline const char *ask_one(const struct ruleset *ruleset, struct regex_scratch *regex,
                                  struct answer_scratch *scratch, struct slice host, struct slice path,
                                  struct slice query, unsigned number)
{
    static const char *const methods[] = { "GET", "POST", "HEAD", "OPTIONS" };
    static const struct request_fields fields = { .header = ask_header, .env = ask_env, .flag = ask_flag };
    char host_buffer[URL_HOST_LIMIT + 1];
    struct request_key key = {
        .method = slice_from_string(methods[number % 4]),
        .scheme = number % 3 ? SLICE("http") : SLICE("https"),
        .scheme_was_forwarded = number % 5 == 0,
        .port = number % 7 ? 80 : 8080,
        .path = path,
        .has_query = query.size > 0,
        .query = query,
        .fields = number % 11 ? &fields : NULL,
        .client = { .family = number % 3 == 2 ? 0 : number % 3 == 1 ? 6 : 4, .address = { 10, 1, 2, (uint8_t)number } },
        .time_s = 1780000000 + (int64_t)number * 3571,
        .chance_is_fixed = number % 2,
        .chance = number * 104729u % 1000000,
        .busy_percent = number * 37 % 101,
        .regex = number % 13 ? regex : NULL,
        .is_preflight = number % 17 == 3,
    };
    struct answer answer;

    if (!url_normalize_host(host, host_buffer, &key.host)) key.host = slice_of("", 0);
    answer_request(ruleset, &key, scratch, NULL, &answer);
    if (answer.outcome != ANSWER_NONE) {
        struct ruleset_place place = ruleset_place(ruleset, answer.place);
        struct slice note, owner;

        ruleset_note(ruleset, answer.place, &note, &owner);
        /* Whoever tells of a place reads it. */
        volatile char last = place.source.size ? place.source.data[place.source.size - 1] : 0;
        last = note.size ? note.data[note.size - 1] : last;
        (void)last;
    }
    return ask_answer_is_sound(ruleset, &answer);
}

/* Every path at every host, with and without a query; of all these requests each `of`th, from number `part` on. */
static inline const char *ask_part(const struct ruleset *ruleset, struct regex_scratch *regex,
                                   struct answer_scratch *scratch, unsigned part, unsigned of)
{
    static const char *const hosts[] = { "h.example", "shop.example", "a.shop.example", "a.b.shop.example", "::1", "" };
    static const char *const paths[] = {
        "/", "/a", "/a/", "/A", "/a/b", "/a/b/c/d", "/a/1.2/x", "/p/17", "/item-7.html", "/a/x/y/z.ttl", "/x/123",
        "/de/1", "//a//b", "/a/%2F%0d", "/q", "/a/../b", "/a%", "/on", "/share", "/when/1", "/when/14", "/long/a/b/c",
    };
    static const char *const queries[] = { "", "k=1&k=2&x=%0d%0a&beta", "id=7&lang=de&utm_x=1&&a=b" };
    unsigned number = 0;

    for (size_t h = 0; h < sizeof(hosts) / sizeof(hosts[0]); h++) {
        for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
            for (size_t q = 0; q < sizeof(queries) / sizeof(queries[0]); q++, number++) {
                if (number % of != part) continue;
                const char *wrong = ask_one(ruleset, regex, scratch, slice_from_string(hosts[h]),
                                            slice_from_string(paths[p]), slice_from_string(queries[q]), number);

                if (wrong) return wrong;
            }
        }
    }
    return NULL;
}

static inline const char *ask_all(const struct ruleset *ruleset, struct regex_scratch *regex,
                                  struct answer_scratch *scratch)
{
    return ask_part(ruleset, regex, scratch, 0, 1);
}

#endif
