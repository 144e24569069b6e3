/* SPDX-License-Identifier: Apache-2.0 */
/* A rule file back to the language: compiling the text again gives the same answers. What a rule file does not keep
 * (comments, groups, names of placeholders, expects) is not in it; hosts that share rules are written apart. */
#ifndef RULEC_DUMP_H
#define RULEC_DUMP_H

#include "mod_redir307/ruleset.h"

#include <stdio.h>

/* NULL: all is written (an error of `out` is the caller's to see). Else why it cannot be, static text. */
const char *dump_write(const struct ruleset *ruleset, FILE *out);

#endif
