/* SPDX-License-Identifier: Apache-2.0 */
/* What is swapped while it is read: no reader ever sees a side that was given up, and who swaps waits for those who
 * read. */
#include "config.h"

#include "mod_redir307/mod_redir307_swap.h"
#include "t/lib/tap.h"

#include <pthread.h>
#include <stdint.h>

enum { READERS = 4, TURNS = 500, WORDS = 64 };

/* Plain memory, so that a race is one (ThreadSanitizer). A side in use holds one number everywhere. */
static struct swap swap;
static uint64_t sides[2][WORDS];
static atomic_bool is_over;
static atomic_uint reads, wrong;

static void fill(uint64_t *side, uint64_t number)
{
    for (unsigned i = 0; i < WORDS; i++) side[i] = number;
}

static void *read_on(void *baton)
{
    while (!atomic_load(&is_over)) {
        unsigned side = swap_enter(&swap);
        uint64_t first = sides[side][0];
        bool is_whole = first != 0;

        for (unsigned i = 1; i < WORDS; i++) is_whole &= sides[side][i] == first;
        swap_leave(&swap, side);
        atomic_fetch_add(&reads, 1);
        if (!is_whole) atomic_fetch_add(&wrong, 1);
    }
    return baton;
}

static void readers_see_one_side(void)
{
    pthread_t readers[READERS];
    unsigned started = 0, before = 0;

    fill(sides[1 - swap_down(&swap)], 1);
    while (started < READERS && pthread_create(&readers[started], NULL, read_on, NULL) == 0) started++;
    ok(started == READERS, "readers are there");
    for (uint64_t number = 2; number < TURNS; number++) {
        unsigned down = swap_down(&swap);

        fill(sides[down], number);
        swap_turn(&swap);
        fill(sides[1 - down], 0); /* nobody may look there any more */
        while (number % 100 == 0 && atomic_load(&reads) == before) sched_yield();
        before = atomic_load(&reads);
    }
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < started; i++) pthread_join(readers[i], NULL);
    ok(atomic_load(&reads) > 0, "they read");
    ok(atomic_load(&wrong) == 0, "and never what was given up");
}

static atomic_bool has_turned;

static void *turn(void *baton)
{
    swap_turn(&swap);
    atomic_store(&has_turned, true);
    return baton;
}

static void a_turn_waits(void)
{
    const struct timespec pause = { .tv_nsec = 20000000 };
    unsigned mine = swap_enter(&swap), next;
    pthread_t turner;

    if (!ok(pthread_create(&turner, NULL, turn, NULL) == 0, "somebody swaps")) return;
    while (swap_down(&swap) != mine) sched_yield();
    next = swap_enter(&swap);
    ok(next == 1 - mine, "who comes now reads the new side");
    swap_leave(&swap, next);
    nanosleep(&pause, NULL);
    ok(!atomic_load(&has_turned), "the swap waits for who reads the old one");
    swap_leave(&swap, mine);
    pthread_join(turner, NULL);
    ok(atomic_load(&has_turned), "and no longer");
}

int main(void)
{
    readers_see_one_side();
    a_turn_waits();
    return tap_done();
}
