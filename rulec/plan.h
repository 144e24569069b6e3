/* SPDX-License-Identifier: Apache-2.0 */
/* The rules as they are meant: what lower_* makes of the tree, check_* judges and emit writes.
 * All texts are in their normal form; everything lives in the compilation's arena. */
#ifndef RULEC_PLAN_H
#define RULEC_PLAN_H

#include "grammar/diag.h"
#include "mod_redir307/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- hosts ---- */
enum plan_host_kind {
    PLAN_HOST_EXACT, /* h.example */
    PLAN_HOST_APEX,  /* the domain itself out of **.h.example: ranks as a wildcard */
    PLAN_HOST_BELOW, /* *.h.example: one label or more below */
    PLAN_HOST_ANY    /* * (and rules outside any site) */
};
/* A closed set in a host ({lang:en|de}.example.com) is expanded: each host then carries the captured text. */
struct plan_host_capture {
    struct slice name;
    struct slice value;
};
struct plan_host {
    enum plan_host_kind kind;
    struct slice name;   /* A-labels, lower case, without "*."; empty for ANY; IPv6 without brackets */
    uint16_t port;       /* 0: every port */
    uint32_t capture_count;
    struct plan_host_capture *captures;
};
/* `**.d` becomes APEX d and BELOW d. Sites with the same hosts are one site. Site 0 is `site *`. */
struct plan_site {
    struct plan_host *hosts;
    uint32_t host_count;
    struct span span;    /* of the first `site` that named it; {0, 0} for site 0 */
};

/* ---- sources ---- */
enum plan_part_kind { /* in the order of their rank */
    PLAN_PART_LITERAL,
    PLAN_PART_SET,     /* {x:en|de} */
    PLAN_PART_INT, PLAN_PART_HEX, PLAN_PART_SLUG, PLAN_PART_UUID, PLAN_PART_DATE, PLAN_PART_VERSION,
    PLAN_PART_REGEX,   /* {x:/re/} */
    PLAN_PART_FREE     /* {x}, {}: one byte or more */
};
enum { PLAN_NO_CAPTURE = 255, PLAN_CAPTURE_LIMIT = 16, PLAN_PART_LIMIT = 15, PLAN_SEGMENT_LIMIT = 32,
       PLAN_PARAMETER_LIMIT = 16 };
struct plan_part {
    enum plan_part_kind kind;
    uint8_t capture;     /* index into pattern->captures, or PLAN_NO_CAPTURE */
    struct slice text;   /* LITERAL: normal form (a decoded text in a query value); REGEX: the expression */
    struct slice *set;   /* SET: its members, normal form (decoded in a query value), sorted, without doubles */
    uint32_t set_count;
};
/* One segment, or one query value: its parts side by side. A fixed one is one LITERAL. */
struct plan_segment {
    struct plan_part *parts;
    uint32_t part_count; /* 0 only for an empty query value */
};
enum plan_tail {
    PLAN_TAIL_NONE,     /* the path ends with the head */
    PLAN_TAIL_SUBTREE,  /* `*` after "/": nothing, "/", or "/" and more; captures what follows the "/" */
    PLAN_TAIL_BELOW,    /* `1.*`: the head's last segment only has to START with its parts (literals and typed ones; `*`
                           captures what follows, to the end of the path, may be empty) */
    PLAN_TAIL_MANY      /* {x...}: at least one segment, then `rest`; with `suffix`, the last of them ends with it
                           (`*.ttl` and `{x...}.ttl`; `rest` is empty then). A trailing "/" of the request belongs to the
                           capture where rest and suffix are empty. At least one byte is before the suffix. */
};
enum plan_value_kind { PLAN_VALUE_ANY /* ?k */, PLAN_VALUE_PATTERN /* ?k=... */ };
struct plan_parameter {
    struct slice name;   /* decoded */
    enum plan_value_kind kind;
    struct plan_segment value;
};
struct plan_pattern {
    struct slice *captures;  /* names; "*" for the star, "" where `{}` stood; regex groups "1", "2" or their names */
    uint32_t capture_count;
    struct plan_segment *head;
    uint32_t head_count;
    enum plan_tail tail;
    uint8_t tail_capture;
    struct slice suffix;     /* normal form; empty: none */
    struct plan_segment *rest;
    uint32_t rest_count;
    bool ends_in_slash;      /* written with a trailing "/" (not for SUBTREE, BELOW; not for a suffix) */
    struct plan_parameter *parameters; /* in the order written */
    uint32_t parameter_count;
    struct slice regex;      /* `~ "..."`: the expression, all else is empty then */
};

/* ---- targets ---- */
enum plan_piece_kind {
    PLAN_PIECE_TEXT,         /* ready to send */
    PLAN_PIECE_CAPTURE,      /* of the source's path: normal form, encoded */
    PLAN_PIECE_QUERY_CAPTURE,/* of the source's query: decoded bytes */
    PLAN_PIECE_HOST_CAPTURE, /* of the site's host; capture: index into host->captures */
    PLAN_PIECE_HOST, PLAN_PIECE_PATH, PLAN_PIECE_QUERY, PLAN_PIECE_SCHEME
};
enum plan_piece_place { PLAN_IN_AUTHORITY, PLAN_IN_PATH, PLAN_IN_QUERY, PLAN_IN_VALUE, PLAN_IN_FRAGMENT };
enum { PLAN_LOWER = 1, PLAN_UPPER = 2, PLAN_DASHES = 4 };
struct plan_piece {
    enum plan_piece_kind kind;
    enum plan_piece_place place;
    uint8_t capture;
    uint8_t transforms;      /* PLAN_LOWER... in no order: dashes and one case */
    struct slice text;
};
/* Where the source is `/a/ *` and the request `/a` itself, the "/" before a final `*` goes too. */
struct plan_template {
    struct plan_piece *pieces;
    uint32_t piece_count;
    bool is_https;           /* target `https:`: the request's URL under that scheme; no pieces */
    bool drops_last_slash;   /* ends in "/" and the star: see above */
};

/* ---- what a rule does ---- */
enum plan_cache_kind { PLAN_CACHE_UNSAID, PLAN_CACHE_DEFAULT /* none is sent */, PLAN_CACHE_NONE /* no-store */,
                       PLAN_CACHE_SHARED /* max-age */, PLAN_CACHE_PRIVATE };
enum plan_query_kind { PLAN_QUERY_KEEP, PLAN_QUERY_DROP, PLAN_QUERY_ONLY, PLAN_QUERY_EXCEPT };
struct plan_query_policy {
    enum plan_query_kind kind;
    struct slice *names;     /* decoded; a final `*` is a wildcard (`utm_*`) */
    uint32_t name_count;
};
enum plan_condition_kind {
    PLAN_CONDITION_METHOD, PLAN_CONDITION_SCHEME,
    PLAN_CONDITION_HEADER, PLAN_CONDITION_COOKIE, PLAN_CONDITION_ACCEPT, PLAN_CONDITION_LANGUAGE,
    PLAN_CONDITION_QUERY, PLAN_CONDITION_CLIENT, PLAN_CONDITION_ENV, PLAN_CONDITION_FLAG,
    PLAN_CONDITION_CHANCE, PLAN_CONDITION_BUSY,
    PLAN_CONDITION_WINDOW,   /* from, until */
    PLAN_CONDITION_RECURRING /* daily and weekly of one rule, together */
};
enum plan_operator { PLAN_PRESENT, PLAN_EQUAL, PLAN_REGEX };
struct plan_network {
    uint8_t family;          /* 4 or 6 */
    uint8_t prefix;          /* bits */
    uint8_t address[16];     /* network order; IPv4 in the first four; host bits are zero */
};
struct plan_condition {
    enum plan_condition_kind kind;
    bool is_unless;
    enum plan_operator operator; /* HEADER COOKIE QUERY ENV */
    struct slice name;           /* HEADER (as written) COOKIE QUERY (decoded) ENV */
    struct slice *values;        /* METHOD SCHEME ACCEPT LANGUAGE FLAG, and after `=`; sorted, without doubles; one is
                                    enough. REGEX: one value, the expression */
    uint32_t value_count;
    struct plan_network *networks; /* CLIENT */
    uint32_t network_count;
    uint32_t share;              /* CHANCE: millionths; BUSY: per cent */
    int64_t from_s, until_s;     /* WINDOW: Unix time, half-open; INT64_MIN and INT64_MAX: open */
    uint32_t zone;               /* RECURRING: index into plan->zones */
    uint8_t days;                /* bit 0: Monday ... bit 6: Sunday; the day on which the window starts */
    uint32_t start_s, end_s;     /* of the day, local; end <= start: over midnight; 0 and 86400: all day */
};
/* A time zone as the rule file carries it. */
struct plan_zone_rule {          /* one edge of the POSIX rule (POSIX.1-2017, 8.3, TZ) */
    uint8_t kind;                /* 0: none, 1: Mm.w.d, 2: Jn (without leap day), 3: n */
    uint8_t month, week, weekday;/* 1-12, 1-5, 0 (Sunday)-6 */
    uint16_t day;                /* of Jn and n */
    int32_t time_s;              /* local, of the day; may be negative or past 24 hours */
};
struct plan_zone {
    struct slice name;
    int64_t *transitions;        /* Unix time, rising */
    int32_t *offsets;            /* seconds east of UTC from that transition on; one more than transitions: [0] before all */
    uint32_t transition_count;
    bool has_rule;               /* after the last transition */
    int32_t standard_s, daylight_s; /* offsets of the rule; equal where it has no daylight-saving time */
    struct plan_zone_rule to_daylight, to_standard;
};
struct plan_header {
    struct slice name, value;
};
/* Interned: equal actions have one number. */
struct plan_action {
    uint32_t site;
    bool is_override;
    bool is_pass;
    bool redirects_preflight;
    uint16_t status_get;     /* for GET and HEAD */
    uint16_t status_other;
    enum plan_cache_kind cache;
    uint32_t cache_seconds;
    struct plan_query_policy query;
    struct plan_condition *conditions; /* all must hold; sorted by kind */
    uint32_t condition_count;
    struct plan_header *headers;       /* retry-after and blocked-by among them */
    uint32_t header_count;
    struct slice *vary;
    uint32_t vary_count;
};

/* `by ...`: lines in the order written. */
enum plan_by { PLAN_BY_ACCEPT, PLAN_BY_LANGUAGE, PLAN_BY_HEADER, PLAN_BY_COOKIE, PLAN_BY_METHOD, PLAN_BY_CLIENT,
               PLAN_BY_CHANCE };
struct plan_choice_line {
    struct slice *keys;            /* ACCEPT LANGUAGE: lower case */
    uint32_t key_count;
    bool is_otherwise;
    uint32_t weight;               /* CLIENT, CHANCE */
    uint16_t status_get, status_other; /* 0: the rule's */
    struct slice target;           /* as in struct plan_rule */
    struct plan_template *template;
    uint32_t target_at;
};
struct plan_choice {
    enum plan_by by;
    struct slice name;             /* HEADER, COOKIE */
    struct plan_choice_line *lines;
    uint32_t line_count;
};

enum { PLAN_CASE_IGNORE = 1, PLAN_SLASH_EXACT = 2 };
struct plan_rule_parts {
    struct slice path;             /* an exact source without query: its normal form as written, else empty */
    struct plan_pattern *pattern;  /* every other source, else NULL */
    struct slice target;           /* as it is sent, where it has no placeholder; empty: none */
    struct plan_template *template;/* a target with placeholders, else NULL */
    struct plan_choice *choice;    /* a `by` form; target and template are empty then */
    uint32_t action;               /* index into plan->actions */
    uint32_t flags;                /* PLAN_CASE_IGNORE... */
    struct span span;              /* of the rule, or of its row in a table; .at is its source word */
    uint32_t target_at;            /* offset of the target's word; 0: none */
};

/* The same, as small as millions of rules want it: plan_path(), plan_pattern()... give the parts. */
struct plan_more {
    struct plan_pattern *pattern;
    struct plan_template *template;
    struct plan_choice *choice;
};
struct plan_rule {
    const char *path_data, *target_data;
    const struct plan_more *more;  /* NULL: a path, and a literal target or none */
    uint16_t path_size, target_size; /* URL_PATH_LIMIT, ANSWER_LOCATION_LIMIT */
    uint32_t action;
    uint32_t flags;
    struct span span;
    uint32_t target_at;
};

static inline struct slice plan_path(const struct plan_rule *rule) { return slice_of(rule->path_data, rule->path_size); }
static inline struct slice plan_target(const struct plan_rule *rule)
{
    return slice_of(rule->target_data, rule->target_size);
}
static inline void plan_set_target(struct plan_rule *rule, struct slice target)
{
    rule->target_data = target.data;
    rule->target_size = (uint16_t)target.size;
}
static inline struct plan_pattern *plan_pattern(const struct plan_rule *rule)
{
    return rule->more ? rule->more->pattern : NULL;
}
/* True where the parameter is asked for with one value; *value: decoded, maybe empty. */
static inline bool plan_parameter_value(const struct plan_parameter *parameter, struct slice *value)
{
    const struct plan_segment *pattern = &parameter->value;

    *value = pattern->part_count ? pattern->parts[0].text : slice_of("", 0);
    return parameter->kind == PLAN_VALUE_PATTERN &&
           (pattern->part_count == 0 || (pattern->part_count == 1 && pattern->parts[0].kind == PLAN_PART_LITERAL));
}
static inline struct plan_template *plan_template(const struct plan_rule *rule)
{
    return rule->more ? rule->more->template : NULL;
}
static inline struct plan_choice *plan_choice(const struct plan_rule *rule)
{
    return rule->more ? rule->more->choice : NULL;
}

struct plan_note {
    uint32_t rule;
    struct slice note, owner;
};

/* One `expect` line, ready to run. */
struct plan_expect {
    struct span span;
    struct slice method, url;
    bool expects_pass;
    uint16_t status;         /* 0: unsaid */
    bool has_target;
    struct slice target;     /* normal form as a target is sent */
    bool has_time;
    int64_t time_s;          /* Unix time */
    struct plan_header *fields;  /* request fields of `with`; cookies are one Cookie field */
    uint32_t field_count;
    struct plan_header *env;     /* of `with` */
    uint32_t env_count;
    struct slice *flags;         /* that are on */
    uint32_t flag_count;
    struct plan_network client;  /* family 0: unsaid (192.0.2.1) */
    bool has_chance, has_busy;
    uint32_t chance, busy;       /* millionths; per cent */
    struct plan_header *headers; /* expected response fields */
    uint32_t header_count;
};

struct plan {
    struct arena *arena;
    struct source_set *sources;
    int64_t now_s; /* Unix time for warnings about dates; 0: the clock's */
    bool is_strict; /* temporary redirects without an end are told, too */
    unsigned thread_count; /* that proofs may take; never a matter of what they find */
    struct plan_site *sites;
    uint32_t site_count;
    struct plan_action *actions;
    uint32_t action_count;
    struct plan_rule *rules;   /* in the order written: includes where they stand */
    uint32_t rule_count;
    struct plan_zone *zones;
    uint32_t zone_count;
    struct plan_note *notes;   /* sorted by rule */
    uint32_t note_count;
    struct plan_expect *expects;
    uint32_t expect_count;
    /* for the summary: nothing is dropped in silence */
    uint64_t table_rows, table_comments, table_blanks;
    struct plan_tables *tables; /* room of the growing arrays, and what finds equal items: plan.c's own */
};

struct plan *plan_open(struct arena *arena, struct source_set *sources); /* with site 0, `site *` */
/* Each returns the number of the item, an equal one where there is one. */
uint32_t plan_intern_action(struct plan *plan, const struct plan_action *action);
uint32_t plan_intern_site(struct plan *plan, const struct plan_site *site);
/* True where both say the same. */
bool plan_conditions_equal(const struct plan *plan, const struct plan_condition *a, const struct plan_condition *b);
/* Room for so many rules more: an estimate that spares copies. */
void plan_reserve_rules(struct plan *plan, uint32_t count);
/* By name; the zone's data is the caller's to fill where *is_new. The pointer is valid until the next call. */
uint32_t plan_intern_zone(struct plan *plan, struct slice name, bool *is_new);
void plan_add_rule(struct plan *plan, const struct plan_rule_parts *parts);
void plan_add_note(struct plan *plan, uint32_t rule, struct slice note, struct slice owner);
struct plan_expect *plan_add_expect(struct plan *plan, const struct plan_expect *expect);
void plan_close(struct plan *plan); /* frees the growing arrays; the rest is the arena's */

#endif
