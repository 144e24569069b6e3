/* SPDX-License-Identifier: Apache-2.0 */
/* RULES of a command line to an open ruleset: a rule file is mapped, a rules source (`NAME.redir`, or `-` for
 * standard input) is compiled in memory. Shared by answer, explain, info, verify, dump. */
#ifndef RULEC_RULES_INPUT_H
#define RULEC_RULES_INPUT_H

#include "mod_redir307/ruleset_map.h"
#include "rulec/compilation.h"

enum rules_input_status {
    RULES_INPUT_GOOD,
    RULES_INPUT_WRONG,     /* a rule file that is none, or a rules source with mistakes */
    RULES_INPUT_UNREADABLE /* there is nothing to read, or it may not be read */
};

struct rules_input {
    struct ruleset *ruleset;
    bool is_compiled;
    struct compilation compilation;   /* where is_compiled */
    struct ruleset_map map;           /* else */
    char reason[RULESET_REASON_SIZE]; /* set unless good; empty where the compilation's messages say it */
};

/* `rules_input_close` is due in every case. */
enum rules_input_status rules_input_open(const char *path, struct rules_input *input);
void rules_input_close(struct rules_input *input);

/* True for `-` and for names that end in ".redir". */
bool rules_input_is_source(const char *path);

/* Can this be read as a rule file: there, a regular file, and readable? False: `reason` says why not. */
bool rules_input_readable(const char *path, char reason[RULESET_REASON_SIZE]);

#endif
