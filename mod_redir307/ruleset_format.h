/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of a rule file (.r307), shared by the writer (rulec/emit) and the reader (ruleset). docs/file-format.md
 * tells the same in words. All integers little-endian; nothing here is a pointer; unused bytes are zero.
 *
 *   offset  size                what
 *   0       4096                header: struct ruleset_header, then zeros
 *   4096    multiples of 4096   the sections in the order of their types, each padded with zeros; none is missing
 *
 * A section's digest covers its `size` bytes without padding. All digests are XXH3-128, seed 0, stored low half first.
 * An "at" is an offset from the start of its section. Zero bytes never mean a rule: action 0, scope 0, host kind 0
 * and list 0 are "none", an index line with count 0 is empty. */
#ifndef MOD_REDIR307_RULESET_FORMAT_H
#define MOD_REDIR307_RULESET_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* A byte past ASCII, CR LF and a DOS end of file: damage by a text-mode copy is seen at once (as PNG does). */
#define RULESET_MAGIC "\x89R307\r\n\x1a"
enum {
    RULESET_MAGIC_SIZE = 8,
    RULESET_FORMAT_MAJOR = 1, /* a reader of another major refuses the file */
    RULESET_FORMAT_MINOR = 0, /* a newer minor adds what older readers may ignore */
    RULESET_PAGE = 4096,
    RULESET_DIGEST_SIZE = 16,
    RULESET_HASH_XXH3_64 = 1
};

enum ruleset_section_type {
    RULESET_HOST_INDEX,     /* lines (struct ruleset_line): key of a host -> HOSTS */
    RULESET_HOSTS,          /* struct ruleset_host, variable size, 8-aligned */
    RULESET_SCOPES,         /* struct ruleset_scope; scope 0 is "none" */
    RULESET_SHAPES,         /* struct ruleset_shape */
    RULESET_SHAPE_PARAMETERS, /* struct ruleset_shape_parameter */
    RULESET_EXACT_INDEX,    /* lines: key of an exact path -> EXACT */
    RULESET_EXACT,          /* struct ruleset_exact, variable size, 4-aligned */
    RULESET_PATTERN_INDEX,  /* lines: key of a shape's fixed parts -> PATTERNS */
    RULESET_PATTERNS,       /* struct ruleset_pattern, variable size, 4-aligned */
    RULESET_ANCESTORS,      /* 64-bit words: under which leading segments other than exact rules live */
    RULESET_ACTIONS,        /* struct ruleset_action; action 0 is "none" */
    RULESET_CONDITIONS,     /* programs, see struct ruleset_action; the first 4 bytes are zero */
    RULESET_TARGETS,        /* bytes: targets that several rules share, and templates */
    RULESET_LISTS,          /* u16 count, then count times (u16 size, bytes); the first 4 bytes are zero */
    RULESET_SOURCES,        /* struct ruleset_source, by rising first_place */
    RULESET_NOTES,          /* struct ruleset_note, by rising place */
    RULESET_REGEXES,        /* u8 flags (enum ruleset_regex_flag), u16 size, the expression; found by number */
    RULESET_ZONES,          /* struct ruleset_zone, variable size, 8-aligned; the first 8 bytes are zero */
    RULESET_SECTION_COUNT
};

struct ruleset_section {
    uint32_t type;
    uint32_t flags;    /* 0 */
    uint64_t at;       /* from the start of the file; multiple of RULESET_PAGE */
    uint64_t size;     /* bytes, without padding */
    uint64_t count;    /* items, where the items have one size or are counted otherwise; else 0 */
    uint8_t digest[RULESET_DIGEST_SIZE];
};
_Static_assert(sizeof(struct ruleset_section) == 48, "on-disk size");

enum { /* header.flags: which host levels exist at all */
    RULESET_HAS_EXACT_HOSTS = 1,
    RULESET_HAS_APEX_HOSTS = 2,
    RULESET_HAS_BELOW_HOSTS = 4,
    RULESET_HAS_PORTS = 8,           /* some host is bound to a port */
    RULESET_HAS_OVERRIDES = 16,
    RULESET_HAS_ENCODED_SLASHES = 32,/* some source holds %2F */
    RULESET_READS_FACTS = 64,        /* some rule asks more of a request than its method and URL */
    /* Without any of these all rules stand in one scope: header.any_scope. */
    RULESET_HAS_SCOPES = RULESET_HAS_EXACT_HOSTS | RULESET_HAS_APEX_HOSTS | RULESET_HAS_BELOW_HOSTS | RULESET_HAS_PORTS
                       | RULESET_HAS_OVERRIDES
};

struct ruleset_header {
    uint8_t magic[RULESET_MAGIC_SIZE];
    uint16_t major;
    uint16_t minor;
    uint32_t feat_incompat;    /* an unknown bit: refuse the file */
    uint32_t feat_compat;      /* an unknown bit: go on */
    uint32_t hash_id;          /* RULESET_HASH_XXH3_64 */
    uint64_t file_size;
    uint64_t seed;             /* of all hashes; made from the content */
    uint64_t rule_count;
    uint64_t exact_key_count;
    uint64_t pattern_key_count;
    uint32_t flags;
    uint32_t section_count;    /* RULESET_SECTION_COUNT */
    uint32_t any_scope;        /* scope of `site *` without a port; 0: none */
    uint32_t any_override_scope;
    uint32_t below_label_limit;/* most labels of a name behind `*.` */
    uint32_t expect_count;
    uint32_t worst_probes;     /* index lines that one request can read at most, at the worst host */
    uint32_t label;            /* list with one string, or 0 */
    uint8_t id[RULESET_DIGEST_SIZE]; /* of the whole content: digest over this page with zeros in `id` */
    struct ruleset_section sections[RULESET_SECTION_COUNT];
};
_Static_assert(sizeof(struct ruleset_header) == 112 + 48 * RULESET_SECTION_COUNT, "on-disk size");
_Static_assert(sizeof(struct ruleset_header) <= RULESET_PAGE, "fits its page");

/* ---- index: two choices of one 64-byte line each ---- */
enum { RULESET_LINE_SLOTS = 10, RULESET_LINE_SIZE = 64 };
struct ruleset_line {
    uint16_t count;            /* slots in use, from the first */
    uint16_t overflow;         /* Bloom bits of the keys whose home is here and that live in their other line */
    uint16_t fingerprint[RULESET_LINE_SLOTS]; /* never 0 */
    uint32_t reference[RULESET_LINE_SLOTS];   /* at / 4 (hosts: at / 8) of the key's first record */
};
_Static_assert(sizeof(struct ruleset_line) == RULESET_LINE_SIZE, "one cache line");

/* ---- hosts and scopes ---- */
enum ruleset_host_kind {
    RULESET_HOST_NONE,
    RULESET_HOST_EXACT,
    RULESET_HOST_APEX,  /* the domain itself, out of `**.` */
    RULESET_HOST_BELOW, /* one label or more below */
    RULESET_HOST_ANY    /* with a port; without one it stands in the header */
};
/* Followed by the name, then capture_count times (u16 size, bytes). */
struct ruleset_host {
    uint32_t scope;          /* 0: only overrides live here */
    uint32_t override_scope; /* 0: none */
    uint16_t port;           /* 0: every port */
    uint16_t name_size;
    uint16_t size;           /* of the whole record without padding */
    uint8_t kind;            /* enum ruleset_host_kind */
    uint8_t capture_count;
};
_Static_assert(sizeof(struct ruleset_host) == 16, "on-disk size");

enum { /* scope.flags */
    RULESET_SCOPE_HAS_EXACT = 1,
    RULESET_SCOPE_HAS_CASE_IGNORE = 2, /* some rule here compares without case: all exact keys are in lower case */
    RULESET_SCOPE_IS_OVERRIDE = 4
};
struct ruleset_scope {
    uint32_t shape_first;      /* in SHAPES, best rank first */
    uint16_t shape_count;
    uint16_t whole_shape_count;/* of them, the first: exact paths with a query */
    uint32_t flags;
    uint32_t worst_probes;
};
_Static_assert(sizeof(struct ruleset_scope) == 16, "on-disk size");

/* ---- shapes: which parts of a request a source fixes ---- */
enum ruleset_shape_kind {
    RULESET_SHAPE_NONE,
    RULESET_SHAPE_WHOLE,   /* a fixed path of any depth, with a query */
    RULESET_SHAPE_HEAD,    /* exactly head_count segments */
    RULESET_SHAPE_SUBTREE, /* at least head_count segments */
    RULESET_SHAPE_BELOW,   /* likewise; the last of them is fixed at its start only */
    RULESET_SHAPE_MANY,    /* at least head_count + 1 + rest_count segments */
    RULESET_SHAPE_REGEX    /* at least `lead` segments */
};
enum { /* shape.flags */
    RULESET_SHAPE_CASE_IGNORE = 1
};
enum { RULESET_SHAPE_PARTS = 14, RULESET_PART_WHOLE = 255, RULESET_PART_FROM_END = 128 };
/* A fixed part of one segment: its first `prefix` and last `suffix` bytes (prefix WHOLE: all of it). */
struct ruleset_shape_part {
    uint8_t segment; /* from 0; with FROM_END, counted from the last segment */
    uint8_t prefix;
    uint8_t suffix;
};
struct ruleset_shape {
    uint32_t best_rank;        /* of the patterns of this shape */
    uint8_t kind;
    uint8_t flags;
    uint8_t lead;              /* fixed segments at the start: the depth of the walk over ANCESTORS */
    uint8_t head_count;
    uint8_t rest_count;
    uint8_t part_count;        /* of `parts`, behind the lead */
    uint8_t parameter_count;
    uint8_t reserved;
    uint32_t parameter_first;  /* in SHAPE_PARAMETERS */
    uint32_t chain_limit;      /* records of the longest chain */
    struct ruleset_shape_part parts[RULESET_SHAPE_PARTS];
    uint8_t reserved2[2];
};
_Static_assert(sizeof(struct ruleset_shape) == 64, "on-disk size");

struct ruleset_shape_parameter {
    uint32_t name_hash; /* low half of the hash of the decoded name */
    uint32_t is_fixed;  /* 1: the value is part of the key */
};
_Static_assert(sizeof(struct ruleset_shape_parameter) == 8, "on-disk size");

/* ---- rules ---- */
enum { RULESET_SHAPE_LIMIT = 64, RULESET_CHAIN_LIMIT = 256 };
enum { RULESET_ACTION_MASK = 0xffffff, RULESET_FLAG_SHIFT = 24 };
enum { /* the high byte of `action` */
    RULESET_RULE_MORE = 1,         /* the next record belongs to the same key */
    RULESET_RULE_SLASH = 2,        /* written with a trailing slash */
    RULESET_RULE_SLASH_EXACT = 4,
    RULESET_RULE_CASE_IGNORE = 8,
    RULESET_RULE_TEMPLATE = 16,    /* the target has placeholders */
    RULESET_RULE_SHARED = 32,      /* EXACT: a u32 at in TARGETS stands where the target's bytes would */
    RULESET_RULE_CHOICE = 64       /* the target is a choice (mod_redir307/choice.h) */
};

/* Followed by the key (normal path without its trailing slash; "/" is itself), then the target. */
struct ruleset_exact {
    uint32_t action;       /* low 24 bits: index into ACTIONS; high 8: flags */
    uint32_t place;        /* line, counted over all sources */
    uint16_t key_size;
    uint16_t target_size;  /* 0: none */
};
_Static_assert(sizeof(struct ruleset_exact) == 12, "on-disk size");

/* Followed by the program (mod_redir307/pattern.h). */
struct ruleset_pattern {
    uint32_t action;
    uint32_t place;
    uint32_t rank;         /* within the scope; lower is more specific */
    uint32_t order;        /* in which the rules were written */
    uint32_t target_at;    /* in TARGETS */
    uint16_t target_size;
    uint16_t program_size;
};
_Static_assert(sizeof(struct ruleset_pattern) == 24, "on-disk size");

enum ruleset_cache_kind {
    RULESET_CACHE_UNSAID,  /* the default of the status */
    RULESET_CACHE_DEFAULT, /* no field */
    RULESET_CACHE_NONE,    /* no-store */
    RULESET_CACHE_SHARED,  /* max-age */
    RULESET_CACHE_PRIVATE
};
enum ruleset_query_kind { RULESET_QUERY_KEEP, RULESET_QUERY_DROP, RULESET_QUERY_ONLY, RULESET_QUERY_EXCEPT };
enum { /* action.flags */
    RULESET_ACTION_PASS = 1,
    RULESET_ACTION_PREFLIGHT = 2 /* CORS preflights are redirected, too */
};
struct ruleset_action {
    uint32_t scope;
    uint16_t status_get;    /* GET and HEAD; 0 for a `pass` */
    uint16_t status_other;
    uint32_t cache_seconds;
    uint8_t cache_kind;
    uint8_t query_kind;
    uint16_t flags;
    uint32_t query_names;   /* list, for ONLY and EXCEPT */
    uint32_t conditions;    /* at in CONDITIONS; 0: none */
    uint32_t headers;       /* list: name, value, name, value ...; 0: none */
    uint32_t vary;          /* list; 0: none */
};
_Static_assert(sizeof(struct ruleset_action) == 32, "on-disk size");

/* A condition program: u16 count, then count times struct ruleset_condition with its operands (strings: u16 size,
 * bytes). A program's conditions are asked in order; the first that does not hold ends it. */
enum ruleset_condition_op {    /* operands */
    RULESET_CONDITION_NONE,
    RULESET_CONDITION_METHOD,    /* value_count strings */
    RULESET_CONDITION_SCHEME,    /* strings */
    RULESET_CONDITION_HEADER,    /* the name; EQUAL: strings; REGEX: u32 number of the regex */
    RULESET_CONDITION_COOKIE,    /* likewise */
    RULESET_CONDITION_ACCEPT,    /* strings, lower case */
    RULESET_CONDITION_LANGUAGE,  /* strings, lower case */
    RULESET_CONDITION_QUERY,     /* as HEADER */
    RULESET_CONDITION_CLIENT,    /* value_count times u8 family (4, 6), u8 prefix, u8 address[16] */
    RULESET_CONDITION_ENV,       /* as HEADER */
    RULESET_CONDITION_FLAG,      /* strings */
    RULESET_CONDITION_CHANCE,    /* u32 millionths */
    RULESET_CONDITION_BUSY,      /* u32 per cent */
    RULESET_CONDITION_WINDOW,    /* i64 from, i64 until: Unix time, half-open */
    RULESET_CONDITION_RECURRING, /* u32 at in ZONES, u8 days (bit 0: Monday), u32 start, u32 end: seconds of the day */
    RULESET_CONDITION_OP_COUNT
};
enum ruleset_condition_flag {
    RULESET_CONDITION_UNLESS = 1,
    RULESET_CONDITION_EQUAL = 2, /* neither EQUAL nor REGEX: present */
    RULESET_CONDITION_REGEX = 4
};
struct ruleset_condition {
    uint8_t op;
    uint8_t flags;
    uint16_t value_count;
};
_Static_assert(sizeof(struct ruleset_condition) == 4, "on-disk size");

enum ruleset_regex_flag {
    RULESET_REGEX_CASELESS = 1,
    RULESET_REGEX_WHOLE = 2 /* it must match all of its subject (a segment), not a part */
};
enum { RULESET_REGEX_LIMIT = 4096 };

/* One edge of a POSIX TZ rule. */
struct ruleset_zone_rule {
    uint8_t kind;    /* 0: none, 1: Mm.w.d, 2: Jn, 3: n */
    uint8_t month, week, weekday;
    uint16_t day;
    uint16_t reserved;
    int32_t time_s;  /* of the day, local */
};
_Static_assert(sizeof(struct ruleset_zone_rule) == 12, "on-disk size");
/* Followed by transition_count times i64 (Unix time, rising), then transition_count + 1 times i32: the offset, seconds
 * east of UTC, before the first and from each transition on. */
struct ruleset_zone {
    uint32_t name;   /* list with one string */
    uint32_t transition_count;
    uint32_t has_rule; /* what holds behind the last transition; else the last offset */
    int32_t standard_s;
    int32_t daylight_s;
    uint32_t reserved;
    struct ruleset_zone_rule to_daylight, to_standard;
};
_Static_assert(sizeof(struct ruleset_zone) == 48, "on-disk size");

struct ruleset_source {
    uint32_t name;        /* list with one string */
    uint32_t first_place; /* place of its line 0 */
    uint32_t line_count;
    uint32_t reserved;
};
_Static_assert(sizeof(struct ruleset_source) == 16, "on-disk size");

struct ruleset_note {
    uint32_t place;
    uint32_t note;        /* list with one string, or 0 */
    uint32_t owner;
    uint32_t reserved;
};
_Static_assert(sizeof(struct ruleset_note) == 16, "on-disk size");

#endif
