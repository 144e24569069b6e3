/* SPDX-License-Identifier: Apache-2.0 */
/* One thread in each child looks for swapped rule files and samples flags and load, so that no
 * request ever waits for the file system or for a load. It is made in child_init and ends with
 * the child's pool.
 *
 * Plain POSIX threads: the prefork MPM has no others, and its SIGTERM handler destroys the pool
 * from inside a signal handler, so what ends the thread must be safe there: a socket is closed,
 * nothing is locked. */
#include "mod_redir307/mod_redir307.h"

#include "http_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

APLOG_USE_MODULE(redir307);

/* Flags and load are sampled at least so often, whatever Redir307Watch says of the files. */
#define SAMPLE_INTERVAL apr_time_from_sec(1)

/* How long the end of a child waits for a load that is going on. */
enum { END_WAIT_MS = 3000 };

/* Of this process. Not in a pool: the thread may outlive those of the child. */
static struct watcher {
    server_rec *main_server;
    pthread_t thread;
    int inside; /* the thread's end of a socket pair: it reads as closed when the child ends */
    int outside;
} watcher;

/* Does not jump when somebody sets the clock. */
static int64_t monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Looks at each file that is due, takes the samples, and returns the milliseconds until
 * something is due again. */
static int look_at_due(server_rec *main_server, int64_t *due, int64_t now)
{
    int64_t next = now + SAMPLE_INTERVAL;
    unsigned i = 0;

    for (struct rules_file *file = rules_files_first(main_server); file;
         file = rules_file_next(file), i++) {
        if (rules_file_interval(file) <= 0) {
            continue;
        }
        if (due[i] <= now) {
            rules_file_look(file);
            due[i] = now + rules_file_interval(file);
        }
        if (due[i] < next) {
            next = due[i];
        }
    }
    samples_take(main_server); /* for the rules of now */
    next -= monotonic_us();
    return next <= 0 ? 1 : (int)((next + 999) / 1000);
}

static void *watch(void *baton)
{
    struct pollfd end = { .fd = watcher.inside, .events = POLLIN };
    /* Zeros: each file is due at once, for it may have been swapped since the parent looked. */
    int64_t *due = calloc(rules_files_count(watcher.main_server), sizeof(*due));
    int changed = 0;

    (void)baton;
    while (due && (changed == 0 || (changed < 0 && errno == EINTR))) {
        changed = poll(&end, 1, look_at_due(watcher.main_server, due, monotonic_us()));
    }
    free(due);
    close(watcher.inside); /* tells stop() that nothing is left to wait for */
    return NULL;
}

/* Signals that come meanwhile (a restart that meets the end of a child) shorten nothing. */
static bool thread_ends(void)
{
    struct pollfd end = { .fd = watcher.outside, .events = POLLIN };
    int64_t left, until = monotonic_us() + END_WAIT_MS * INT64_C(1000);
    int changed = -1;

    while (changed < 0 && (left = until - monotonic_us()) > 0) {
        changed = poll(&end, 1, (int)(left / 1000) + 1);
        if (changed < 0 && errno != EINTR) {
            break;
        }
    }
    return changed > 0;
}

static apr_status_t stop(void *baton)
{
    (void)baton;
    shutdown(watcher.outside, SHUT_WR);
    /* A thread that does not come in time (its disk hangs) is left behind: the process is about
     * to end. */
    if (thread_ends()) {
        pthread_join(watcher.thread, NULL);
    }
    close(watcher.outside);
    return APR_SUCCESS;
}

/* Signals are httpd's business: they go to its own threads. A fault of this thread is its own
 * all the same. */
static int create_without_signals(void)
{
    sigset_t all, before;
    int status;

    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&watcher.thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* Also where all files are WATCH_OFF: their rules may ask for flags or load. */
static bool wants_watcher(const server_rec *main_server)
{
    for (const struct rules_file *file = rules_files_first(main_server); file;
         file = rules_file_next(file)) {
        if (rules_file_interval(file) != WATCH_EACH_REQUEST) {
            return true;
        }
    }
    return false;
}

void watch_start(apr_pool_t *pchild, server_rec *main_server)
{
    int ends[2], status;

    if (!wants_watcher(main_server)) {
        return;
    }
    watcher.main_server = main_server;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, errno, main_server,
            "R307-908: this child cannot watch its rule files; it serves them as they are now");
        return;
    }
    watcher.inside = ends[0];
    watcher.outside = ends[1];
    fcntl(watcher.inside, F_SETFD, FD_CLOEXEC);
    fcntl(watcher.outside, F_SETFD, FD_CLOEXEC);
    status = create_without_signals();
    if (status != 0) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, status, main_server,
            "R307-908: this child cannot watch its rule files; it serves them as they are now");
        close(watcher.inside);
        close(watcher.outside);
        return;
    }
    /* Before anything else of the pool goes. */
    apr_pool_pre_cleanup_register(pchild, NULL, stop);
}
