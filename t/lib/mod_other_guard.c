/* SPDX-License-Identifier: Apache-2.0 */
/* For t/http/sigbus.t: another module that maps files and heals what is cut off of its own, as ours does. Its handler is
 * there before ours. GET /fault/own reads behind the end of its own file, /fault/none at an address that is nobody's. */
#include "httpd.h"
#include "http_config.h"
#include "http_protocol.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static char *own;
static volatile int healed;

static void heal(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    if ((char *)info->si_addr == own &&
        mmap(own, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) == own) {
        healed++;
    } else {
        signal(signal_number, SIG_DFL);
    }
}

/* One page over a file that has none. */
static char *map_nothing(void)
{
    char name[] = "/tmp/redir307-guard-XXXXXX";
    int file = mkstemp(name);
    char *bytes = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);

    unlink(name);
    close(file);
    return bytes;
}

static void child_init(apr_pool_t *pool, server_rec *server)
{
    struct sigaction action = { .sa_sigaction = heal, .sa_flags = SA_SIGINFO };

    (void)pool;
    (void)server;
    own = map_nothing();
    sigaction(SIGBUS, &action, NULL);
}

static int handler(request_rec *r)
{
    volatile char *at;
    int byte;

    if (strncmp(r->uri, "/fault/", 7) != 0) {
        return DECLINED;
    }
    at = strcmp(r->uri, "/fault/own") == 0 ? own : map_nothing();
    byte = *at;
    ap_rprintf(r, "byte %d, healed %d\n", byte, healed);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_FIRST);
}

module AP_MODULE_DECLARE_DATA other_guard_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                                     register_hooks, 0 };
