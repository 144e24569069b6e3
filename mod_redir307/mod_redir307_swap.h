/* SPDX-License-Identifier: Apache-2.0 */
/* Two sides of something, of which one is read while the other may be changed: requests read, and never wait; who
 * changes it waits, for those who read the old side. Cheaper than a rwlock (25 instructions in and out, not 85), and no
 * request ever stands behind a swap that stands behind a slow request.
 *
 * A reader counts himself in before he looks which side is up once more, a writer turns the sides before he looks at
 * the count: with sequentially consistent atomics one of the two sees the other. */
#ifndef MOD_REDIR307_MOD_REDIR307_SWAP_H
#define MOD_REDIR307_MOD_REDIR307_SWAP_H

#include <stdatomic.h>
#include <time.h>

/* Zeros: side 0 is up. */
struct swap {
    atomic_uint up; /* 0 or 1 */
    atomic_uint readers[2];
};

/* The side to read, until swap_leave. */
static inline unsigned swap_enter(struct swap *swap)
{
    for (;;) {
        unsigned side = atomic_load(&swap->up);

        atomic_fetch_add(&swap->readers[side], 1);
        if (atomic_load(&swap->up) == side) {
            return side;
        }
        atomic_fetch_sub(&swap->readers[side], 1);
    }
}

static inline void swap_leave(struct swap *swap, unsigned side)
{
    atomic_fetch_sub(&swap->readers[side], 1);
}

/* The side that nobody reads. For one writer at a time. */
static inline unsigned swap_down(struct swap *swap)
{
    return 1 - atomic_load(&swap->up);
}

/* The other side is up from now on; when this returns nobody reads the old one any more. */
static inline void swap_turn(struct swap *swap)
{
    static const struct timespec pause = { .tv_nsec = 100000 };
    unsigned old = atomic_load(&swap->up);

    atomic_store(&swap->up, 1 - old);
    while (atomic_load(&swap->readers[old]) != 0) {
        nanosleep(&pause, NULL);
    }
}

#endif
