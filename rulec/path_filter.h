/* SPDX-License-Identifier: Apache-2.0 */
/* Tells of most paths that no source of the rules takes them, whatever the host: one word of memory is read for it. */
#ifndef RULEC_PATH_FILTER_H
#define RULEC_PATH_FILTER_H

#include "rulec/plan.h"

struct path_filter *path_filter_open(const struct plan *plan);
void path_filter_close(struct path_filter *filter);

/* False: no rule's source takes the path, as it is or in its normal form. True: one may. */
bool path_filter_may_hold(const struct path_filter *filter, struct slice path);

#endif
