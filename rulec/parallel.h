/* SPDX-License-Identifier: Apache-2.0 */
/* Work on a row of items by several threads. What comes out must not depend on how many there are: each item is looked
 * at for itself, and whoever needs an order goes over the results afterwards. */
#ifndef RULEC_PARALLEL_H
#define RULEC_PARALLEL_H

#include <stdint.h>

/* One for each processor that the system has running; at least 1. */
unsigned parallel_default_threads(void);

/* Calls run(baton, first, end) for ranges that together are [0, count), at most `threads` at a time, and waits for all.
 * A short row is not worth a thread: it is done at once. */
void parallel_ranges(unsigned threads, uint32_t count, void (*run)(void *baton, uint32_t first, uint32_t end),
                     void *baton);

/* Two steps that do not look at what the other one makes. */
struct parallel_step {
    void (*run)(void *baton);
    void *baton;
};
/* Takes both at the same time, where there are threads and `count` items to look at are worth one; waits for both. `own`
 * is taken by the caller's thread. */
void parallel_both(unsigned threads, uint32_t count, struct parallel_step own, struct parallel_step other);

#endif
