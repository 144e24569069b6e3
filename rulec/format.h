/* SPDX-License-Identifier: Apache-2.0 */
/* The one layout of rules. Only blanks, line ends and empty lines are changed: the words, their
 * order and the comments stay, so what the rules mean stays too. Formatting what is formatted
 * changes nothing. */
#ifndef RULEC_FORMAT_H
#define RULEC_FORMAT_H

#include "grammar/layout.h"
#include "rulec/bytes.h"

/* Appends the text of the source that the layout was read from. */
void format_write(const struct layout *layout, const struct source *source, struct bytes *out);

#endif
