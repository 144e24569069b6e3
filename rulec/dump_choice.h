/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the arrow of a rule. Part of dump. */
#ifndef RULEC_DUMP_CHOICE_H
#define RULEC_DUMP_CHOICE_H

#include "rulec/dump_clause.h"

/* " -> /target" */
void dump_target(struct dump_writer *writer, struct slice target, bool is_template,
                 const struct dump_captures *captures);
/* " -> by accept {", its lines, "    }" */
void dump_choice(struct dump_writer *writer, struct slice choice, const struct dump_captures *captures);

#endif
