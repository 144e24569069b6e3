/* SPDX-License-Identifier: Apache-2.0 */
/* One range for each thread, the first for the caller's own. Where the system gives no thread, the caller does its work,
 * too. */
#include "config.h"

#include "rulec/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

enum { THREAD_LIMIT = 64, RANGE_MIN = 4096 };

struct range {
    void (*run)(void *baton, uint32_t first, uint32_t end);
    void *baton;
    uint32_t first, end;
    pthread_t thread;
    bool is_started;
};

unsigned parallel_default_threads(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > THREAD_LIMIT ? THREAD_LIMIT : (unsigned)count;
}

static void *run_range(void *memory)
{
    const struct range *range = memory;

    range->run(range->baton, range->first, range->end);
    return NULL;
}

void parallel_ranges(unsigned threads, uint32_t count, void (*run)(void *baton, uint32_t first, uint32_t end),
                     void *baton)
{
    struct range ranges[THREAD_LIMIT];
    uint32_t range_count = count / RANGE_MIN;

    if (range_count > threads) range_count = threads;
    if (range_count > THREAD_LIMIT) range_count = THREAD_LIMIT;
    if (range_count == 0) range_count = 1;
    for (uint32_t i = range_count; i-- > 0;) {
        struct range *range = &ranges[i];

        *range = (struct range){ .run = run, .baton = baton, .first = (uint32_t)((uint64_t)count * i / range_count),
                                 .end = (uint32_t)((uint64_t)count * (i + 1) / range_count) };
        range->is_started = i > 0 && pthread_create(&range->thread, NULL, run_range, range) == 0;
        if (!range->is_started) run_range(range);
    }
    for (uint32_t i = 1; i < range_count; i++) {
        if (ranges[i].is_started) pthread_join(ranges[i].thread, NULL);
    }
}

static void *run_step(void *memory)
{
    const struct parallel_step *step = memory;

    step->run(step->baton);
    return NULL;
}

void parallel_both(unsigned threads, uint32_t count, struct parallel_step own, struct parallel_step other)
{
    pthread_t thread;
    bool is_started = threads > 1 && count >= 2 * RANGE_MIN && pthread_create(&thread, NULL, run_step, &other) == 0;

    own.run(own.baton);
    if (is_started) pthread_join(thread, NULL);
    else other.run(other.baton);
}
