/* SPDX-License-Identifier: Apache-2.0 */
/* Status words and numbers -> the codes that are sent. */
#ifndef RULEC_LOWER_STATUS_H
#define RULEC_LOWER_STATUS_H

#include "rulec/lower_context.h"

extern const struct lower_status lower_status_default; /* temporary */

/* One word, or two of which the second is `auto`: `second` may be NULL. False: a mistake was
 * reported. */
bool lower_status_words(struct lower *lower, struct lower_word first,
                        const struct lower_word *second, struct lower_status *status);
/* The same from the tree; NULL words are not asked here. */
bool lower_status_of(struct lower *lower, const struct ast_word *words,
                     struct lower_status *status);

/* True where the status is one that goes with a target. */
bool lower_status_redirects(const struct lower_status *status);

/* Whether a rule with (without) a target may have that status; else a mistake at `span` is
 * reported. */
bool lower_status_fits(struct lower *lower, const struct lower_status *status, bool has_target,
                       struct span span);

#endif
