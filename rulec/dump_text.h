/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the language out of the records of a rule file: sources, targets, strings. Part of dump. */
#ifndef RULEC_DUMP_TEXT_H
#define RULEC_DUMP_TEXT_H

#include "mod_redir307/ruleset_read.h"

#include <stdbool.h>
#include <stdio.h>

/* A word that is being made. */
struct dump_word {
    char *data;
    size_t size, room;
};

void dump_word_clear(struct dump_word *word);
void dump_word_free(struct dump_word *word);
void dump_word_add(struct dump_word *word, struct slice text);
/* Written as a bare word where that is possible, else quoted. */
void dump_word_print(const struct dump_word *word, FILE *out);

/* "..." with its escapes. */
void dump_string_print(struct slice text, FILE *out);

/* A decoded name or value of a query, or of a query policy: percent-encoded. A star at the end stays where it may. */
void dump_add_decoded(struct dump_word *word, struct slice text, bool keeps_last_star);

/* The source of an exact rule: `path` without its trailing slash. */
void dump_add_path(struct dump_word *word, struct slice path, bool ends_in_slash);

enum { DUMP_CAPTURE_LIMIT = 16, DUMP_PARAMETER_LIMIT = 16, DUMP_NAME_SIZE = 40, DUMP_NO_STAR = 256 };
/* What a source tells its target, and dump. */
struct dump_source {
    unsigned star_capture; /* number of the capture that the target knows as `*`, or DUMP_NO_STAR */
    bool takes_many;       /* {x...} */
    bool is_regex;         /* then the word is empty: see dump_regex_print */
    uint32_t regex;
    unsigned parameter_count;
    size_t parameter_at[DUMP_PARAMETER_LIMIT + 1]; /* in the word, of `?` and `&`; the last: its size */
    char names[DUMP_CAPTURE_LIMIT][DUMP_NAME_SIZE]; /* of its captures */
};
/* For a source without placeholders. */
void dump_source_init(struct dump_source *source);
/* The source of all other rules. */
bool dump_add_pattern(struct dump_word *word, const struct ruleset *ruleset, struct slice program, bool ends_in_slash,
                      struct dump_source *source);

/* "..." as it stands behind `~`. False: there is no such regex. */
bool dump_regex_print(const struct ruleset *ruleset, uint32_t number, FILE *out);

/* A target. `hosts`: captures of the site's host, written out. False: the bytes are no target. */
struct dump_captures {
    const struct dump_source *source;
    struct ruleset_cursor hosts;
    unsigned host_count;
};
bool dump_add_target(struct dump_word *word, struct slice target, bool is_template,
                     const struct dump_captures *captures);

#endif
