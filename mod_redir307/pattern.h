/* SPDX-License-Identifier: Apache-2.0 */
/* Sources other than plain exact paths: a small program that is run against a request's normal path and decoded query.
 *
 *   program   u8 head_count, segment*head_count, u8 tail, [u8 capture: SUBTREE, BELOW, MANY],
 *             [MANY: string suffix, u8 rest_count, segment*rest_count],
 *             [REGEX (head_count 0): u32 regex, u8 count, (u8 capture, u8 group)*count],
 *             u8 parameter_count, parameter*parameter_count
 *   segment   u8 part_count, part*part_count
 *   part      u8 kind, u8 capture, [LITERAL: string] [SET: u8 count, string*count] [REGEX: u32 regex]
 *   parameter string name, u8 value_kind, [PATTERN: segment]
 *   string    u16 size, bytes
 *
 * A capture of PATTERN_NO_CAPTURE keeps nothing. Bounded work, no recursion; bytes that are no program match nothing. */
#ifndef MOD_REDIR307_PATTERN_H
#define MOD_REDIR307_PATTERN_H

#include "mod_redir307/slice.h"

#include <stdint.h>

enum {
    PATTERN_NO_CAPTURE = 255,
    PATTERN_CAPTURE_LIMIT = 16,
    PATTERN_PART_LIMIT = 15,
    PATTERN_SEGMENT_LIMIT = 32,
    PATTERN_PARAMETER_LIMIT = 16,
    PATTERN_SHARED_SEGMENT_SIZE = 1024, /* longest text that several placeholders of one segment can share */
    PATTERN_SHARED_VERSION_SIZE = 128   /* longest version among them */
};

enum pattern_part_kind {
    PATTERN_LITERAL,
    PATTERN_SET,
    PATTERN_INT,
    PATTERN_HEX,
    PATTERN_SLUG,
    PATTERN_UUID,
    PATTERN_DATE,
    PATTERN_VERSION,
    PATTERN_REGEX,
    PATTERN_FREE,
    PATTERN_PART_KIND_COUNT
};
enum pattern_tail {
    PATTERN_TAIL_NONE,
    PATTERN_TAIL_SUBTREE,
    PATTERN_TAIL_BELOW,
    PATTERN_TAIL_MANY,
    PATTERN_TAIL_REGEX /* the whole path, as it is */
};
enum pattern_value { PATTERN_VALUE_ANY, PATTERN_VALUE_PATTERN };

struct pattern_parameter {
    struct slice whole; /* as sent */
    struct slice name;  /* decoded */
    struct slice value; /* decoded */
    uint64_t name_hash;
};

struct regex_table;
struct regex_scratch;

struct pattern_subject {
    const struct regex_table *regexes;
    struct regex_scratch *regex;
    struct slice path;  /* normal form */
    const struct pattern_parameter *parameters;
    unsigned parameter_count;
};

struct pattern_capture {
    struct slice text; /* path: normal form; query: decoded */
};

/* How far a match is from the written form; lower is better. */
enum { PATTERN_SLASH_DIFFERS = 1, PATTERN_CASE_DIFFERS = 2 };

struct pattern_flags {
    bool ignores_case;
    bool ends_in_slash;  /* as written */
    bool is_slash_exact;
};

/* True: it matches; *cost is PATTERN_SLASH_DIFFERS | PATTERN_CASE_DIFFERS or less, and `captures` (of
 * PATTERN_CAPTURE_LIMIT; NULL: not wanted) lie in the subject. */
bool pattern_match(struct slice program, struct pattern_flags flags, const struct pattern_subject *subject,
                   struct pattern_capture *captures, unsigned *cost);

/* True where one of the program's parameters has this decoded name: the source consumes it. */
bool pattern_consumes(struct slice program, struct slice name);

/* Where a program names a regex: the number's offset in its bytes, and the number. */
struct pattern_regex {
    size_t at;
    uint32_t index;
};
/* Those of a program, in its order; at most `limit`. */
unsigned pattern_regexes(struct slice program, struct pattern_regex *regexes, unsigned limit);

/* True where the bytes are one whole program, as `rulec verify` asks. */
bool pattern_is_sound(struct slice program);

#endif
