/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a rule file, checked: header, checksums and tables once at open; each later read clamped to the size.
 * Bytes under a mapping can change at any time, so nothing read from it is ever trusted twice.
 * Nobody writes to an open ruleset: threads share it without a lock. */
#ifndef MOD_REDIR307_RULESET_H
#define MOD_REDIR307_RULESET_H

#include "mod_redir307/slice.h"

#include <stdint.h>

enum ruleset_status {
    RULESET_OK,
    RULESET_EMPTY,        /* no bytes at all */
    RULESET_TRUNCATED,    /* shorter than its header says */
    RULESET_OVERLONG,     /* longer than its header says */
    RULESET_FOREIGN,      /* no rule file */
    RULESET_TEXT_DAMAGE,  /* a rule file that went through a text-mode copy */
    RULESET_NEWER,        /* made by a newer rulec: format version or a feature this reader does not know */
    RULESET_OLDER,        /* a format version no longer read */
    RULESET_DAMAGED,      /* a checksum does not hold */
    RULESET_MALFORMED,    /* checksums hold, but a table says what no writer writes */
    RULESET_NO_MEMORY
};
/* What is wrong, and nothing about where; static text, lower case. */
const char *ruleset_strerror(enum ruleset_status status);

struct ruleset;

/* The bytes stay the caller's, unchanged in place, until ruleset_close. They are read whole once (checksums).
 * *opened is set on RULESET_OK only. */
enum ruleset_status ruleset_open(const void *bytes, size_t size, struct ruleset **opened);
/* Bytes that nobody changed since they were opened before, or made by this process: their checksums are not asked. */
enum ruleset_status ruleset_open_again(const void *bytes, size_t size, struct ruleset **opened);
void ruleset_close(struct ruleset *ruleset); /* NULL is allowed */

enum { RULESET_ID_SIZE = 32 }; /* hex digits of the content's 128-bit hash */
/* Writes RULESET_ID_SIZE digits and a NUL. */
void ruleset_id(const struct ruleset *ruleset, char id[RULESET_ID_SIZE + 1]);

struct ruleset_counts {
    uint64_t file_size;
    uint64_t rules;
    uint64_t exact_keys;       /* different keys of exact rules */
    uint64_t pattern_keys;     /* different keys of all other rules */
    uint64_t scopes, hosts, shapes, actions, conditions, regexes, expects, sources;
    uint64_t exact_index_size, exact_record_size, pattern_index_size, pattern_record_size, target_size; /* bytes */
    unsigned format_major, format_minor;
    unsigned worst_probes;     /* the most lines of both indexes that one request can read, at one host */
};
void ruleset_counts(const struct ruleset *ruleset, struct ruleset_counts *counts);
/* True where some rule's source holds `%2F`: httpd then needs AllowEncodedSlashes NoDecode. */
bool ruleset_needs_encoded_slash(const struct ruleset *ruleset);

/* False where no rule asks for more than a request's method and URL: fields, environment, client, time, chance and the
 * like need not be filled in then. */
bool ruleset_reads_facts(const struct ruleset *ruleset);

/* Where a rule was written. `place` comes with each answer. The source's name lies in the map: copy it. */
struct ruleset_place {
    struct slice source;
    uint32_t line; /* from 1; 0: unknown */
};
struct ruleset_place ruleset_place(const struct ruleset *ruleset, uint32_t place);
/* Note and owner of the rule at `place`; empty where it has none. */
void ruleset_note(const struct ruleset *ruleset, uint32_t place, struct slice *note, struct slice *owner);

/* From now on answers carry the identity of their rule (struct answer), and ruleset_next_rule tells it. Reads the hosts,
 * actions and conditions once; to be called before the ruleset is shared. False: no memory, and nothing changed. */
bool ruleset_identify(struct ruleset *ruleset);

/* One rule after the other, in no order that means anything. A rule may come several times: for each set of hosts that
 * it answers for. */
struct ruleset_walk {
    bool is_in_patterns;
    uint64_t at;
};
struct ruleset_rule {
    uint64_t identity; /* 0 without ruleset_identify */
    uint32_t place;
};
/* From a `walk` of zeros; false behind the last rule. */
bool ruleset_next_rule(const struct ruleset *ruleset, struct ruleset_walk *walk, struct ruleset_rule *rule);

/* Walks every record, slot and string (`rulec verify`). NULL: all is well; else what is wrong (static text),
 * and *at says at which byte of the file. */
const char *ruleset_verify(const struct ruleset *ruleset, uint64_t *at);

#endif
