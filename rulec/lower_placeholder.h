/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of one pair of braces in a source. */
#ifndef RULEC_LOWER_PLACEHOLDER_H
#define RULEC_LOWER_PLACEHOLDER_H

#include "rulec/lower_segment.h"

struct lower_placeholder {
    struct slice whole;    /* with braces */
    struct slice name;     /* empty: unnamed */
    bool takes_many;       /* {x...} */
    struct plan_part part; /* else: its kind and set; the capture is not set */
};

/* `open` points at "{". in_query: members of a set are compared decoded. False: a mistake
 * was reported. */
bool lower_read_placeholder(struct lower_pattern *state, const char *open, const char *end,
                            bool in_query, struct lower_placeholder *placeholder);

/* Reports `text` with its reason; always false. */
bool lower_bad_placeholder(struct lower_pattern *state, struct slice text, const char *reason);

#endif
