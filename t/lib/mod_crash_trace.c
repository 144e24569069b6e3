/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that restart httpd under load: writes the stack of a child that dies of a fault into the error log, so that a
 * fault of ours can be told from httpd's own. Then the signal goes where it went before. */
#include "httpd.h"
#include "http_config.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

enum { FRAMES = 32 };

static const int faults[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };
enum { FAULTS = sizeof faults / sizeof faults[0] };
static struct sigaction before[FAULTS];

/* Nothing here may allocate or lock. */
static void write_stack(int signal_number, siginfo_t *info, void *context)
{
    void *frames[FRAMES];
    char line[64];
    int size = apr_snprintf(line, sizeof(line), "stack of child %ld:\n", (long)getpid());

    (void)context;
    if (write(STDERR_FILENO, line, (size_t)size) == size) {
        backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
    }
    for (int i = 0; i < FAULTS; i++) {
        if (faults[i] == signal_number) {
            sigaction(signal_number, &before[i], NULL);
        }
    }
    if (info->si_code <= 0) {
        raise(signal_number); /* of kill() or abort(): a fault repeats by itself */
    }
}

static void child_init(apr_pool_t *pool, server_rec *server)
{
    struct sigaction action = { .sa_sigaction = write_stack, .sa_flags = SA_SIGINFO };
    void *frame;

    (void)pool;
    (void)server;
    backtrace(&frame, 1); /* the first call loads libgcc, which a handler must not */
    for (int i = 0; i < FAULTS; i++) {
        sigaction(faults[i], &action, &before[i]);
    }
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
}

module AP_MODULE_DECLARE_DATA crash_trace_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                                     register_hooks, 0 };
