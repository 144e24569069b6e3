/* SPDX-License-Identifier: Apache-2.0 */
/* Tells of most paths that no source of the rules takes them, whatever the host: one word of memory is read for it. */
#ifndef RULEC_PATH_FILTER_H
#define RULEC_PATH_FILTER_H

#include "rulec/plan.h"

struct path_filter *path_filter_open(const struct plan *plan);
void path_filter_close(struct path_filter *filter);

/* A question, put some time before its answer is read: memory is slow. */
struct path_question {
    bool is_open; /* nothing can be told of this path */
    uint64_t keys[2];
};
void path_filter_ask(const struct path_filter *filter, struct slice path, struct path_question *question);
/* False: no rule's source takes the path, as it is or in its normal form. True: one may. */
bool path_filter_may_hold(const struct path_filter *filter, const struct path_question *question);

#endif
