/* SPDX-License-Identifier: Apache-2.0 */
/* A mapped file that somebody cuts short has no bytes below its last pages, and a read there
 * ends the process by SIGBUS, with every connection that it holds. This guard puts zero pages
 * over such a range instead: the engine reads zeros as "no rule", and the watcher takes the
 * file anew. A SIGBUS at any other address goes where it went before.
 *
 * Only children install it for good: the parent unloads this code at each restart. The handler
 * may run in any thread at any time: it touches atomics, mmap() and sigaction() only. */
#include "mod_redir307/mod_redir307.h"

#include "apr_pools.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct range {
    atomic_bool is_taken; /* by a thread that fills it in, or by a mapping */
    atomic_uintptr_t low,
        high; /* [low, high), to the end of the last page; low is 0 until both are right */
    atomic_bool was_hit;
};

/* A signal handler has no other way to its data. Set before the handler is, and reset with
 * it. */
static struct range *ranges;
static unsigned ranges_count;
static uintptr_t page_size;
static struct sigaction action_before;

static bool zero_page(struct range *range, uintptr_t address)
{
    uintptr_t page = address & ~(page_size - 1);

    /* MAP_FIXED over our own mapping: the failed read is tried again and finds zeros. */
    if (mmap((void *)page, page_size, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1,
             0) == MAP_FAILED) {
        return false;
    }
    atomic_store(&range->was_hit, true);
    return true;
}

/* To whom it went before. Who lives on after it is called, and this guard stays; httpd's own
 * handler ends the process, and takes one signal only: it is put back, a fault repeats at
 * return and meets it, a kill() is sent again. */
static void pass_on(int signal_number, siginfo_t *info, void *context)
{
    bool is_default =
        !(action_before.sa_flags & SA_SIGINFO) &&
        (action_before.sa_handler == SIG_DFL || action_before.sa_handler == SIG_IGN);

    if (is_default || (action_before.sa_flags & (int)SA_RESETHAND)) {
        sigaction(signal_number, &action_before, NULL);
        if (info->si_code <= 0) {
            raise(signal_number);
        }
    } else if (action_before.sa_flags & SA_SIGINFO) {
        action_before.sa_sigaction(signal_number, info, context);
    } else {
        action_before.sa_handler(signal_number);
    }
}

static void handle_bus_error(int signal_number, siginfo_t *info, void *context)
{
    int errno_before = errno;
    uintptr_t address = (uintptr_t)info->si_addr;

    /* si_code is positive where the kernel tells of a fault, not where somebody used kill(). */
    for (unsigned i = 0; info->si_code > 0 && i < ranges_count; i++) {
        uintptr_t low = atomic_load(&ranges[i].low);

        if (low && low <= address && address < atomic_load(&ranges[i].high) &&
            zero_page(&ranges[i], address)) {
            errno = errno_before;
            return;
        }
    }
    pass_on(signal_number, info, context);
    errno = errno_before;
}

bool sigbus_is_installed(void)
{
    return ranges != NULL;
}

void sigbus_uninstall(void)
{
    struct sigaction now;

    if (!ranges) {
        return;
    }
    /* Somebody who took the signal over after us keeps it. */
    if (sigaction(SIGBUS, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == handle_bus_error) {
        sigaction(SIGBUS, &action_before, NULL);
    }
    ranges_count = 0;
    ranges = NULL;
}

static apr_status_t uninstall(void *baton)
{
    if (baton == ranges) {
        sigbus_uninstall();
    }
    return APR_SUCCESS;
}

bool sigbus_install(apr_pool_t *pool, unsigned limit)
{
    struct sigaction action = { .sa_sigaction = handle_bus_error, .sa_flags = SA_SIGINFO };
    long size = sysconf(_SC_PAGESIZE);

    if (ranges || size <= 0 || limit == 0) {
        return false;
    }
    sigemptyset(&action.sa_mask);
    page_size = (uintptr_t)size;
    ranges = apr_pcalloc(pool, limit * sizeof(*ranges));
    ranges_count = limit;
    apr_pool_cleanup_register(pool, ranges, uninstall, apr_pool_cleanup_null);
    if (sigaction(SIGBUS, &action, &action_before) != 0) {
        ranges_count = 0;
        ranges = NULL;
        return false;
    }
    return true;
}

static struct range *range_of(const void *bytes)
{
    for (unsigned i = 0; bytes && i < ranges_count; i++) {
        if (atomic_load(&ranges[i].low) == (uintptr_t)bytes) {
            return &ranges[i];
        }
    }
    return NULL;
}

void sigbus_guard(const void *bytes, size_t size)
{
    for (unsigned i = 0; bytes && size && i < ranges_count; i++) {
        if (!atomic_exchange(&ranges[i].is_taken, true)) {
            atomic_store(&ranges[i].was_hit, false);
            atomic_store(&ranges[i].high,
                         ((uintptr_t)bytes + size + page_size - 1) & ~(page_size - 1));
            atomic_store(&ranges[i].low, (uintptr_t)bytes);
            return;
        }
    }
}

void sigbus_release(const void *bytes)
{
    struct range *range = range_of(bytes);

    if (range) {
        atomic_store(&range->low, 0);
        atomic_store(&range->is_taken, false);
    }
}

bool sigbus_was_hit(const void *bytes)
{
    const struct range *range = range_of(bytes);

    return range && atomic_load(&range->was_hit);
}
