/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions ask that no request may wait for: which flags are on (files in a folder), and
 * how busy the server is (its scoreboard). The watcher of each child samples both; a request
 * reads the last sample. The parent samples the flags once at start, so that children are born
 * with them. */
#include "mod_redir307/mod_redir307_files.h"

#include "mod_redir307/mod_redir307_swap.h"

#include "apr_strings.h"
#include "ap_mpm.h"
#include "http_log.h"
#include "scoreboard.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

APLOG_USE_MODULE(redir307);

/* More than anybody switches; a folder of something else must not fill the memory. */
enum { FLAG_NAMES_LIMIT = 65536 };

struct flag_names {
    char *names; /* each ends in NUL; malloc()ed */
    size_t size;
};

/* One folder of flags, shared by all servers that name it. */
struct flags {
    struct flags *next;
    const char *path;
    pthread_mutex_t sampling; /* one thread at a time looks */
    struct swap swap;         /* over the next */
    struct flag_names sides[2];
};

static const char flags_key[] = "mod_redir307.flags";

static struct flags *flags_first(const server_rec *server)
{
    void *first = NULL;

    apr_pool_userdata_get(&first, flags_key, server->process->pconf);
    return first;
}

/* The names in the folder, in the order of the folder. False: it cannot be read now, `errno`
 * says why. */
static bool read_names(const char *path, struct flag_names *to)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (!folder) {
        return false;
    }
    to->names = malloc(FLAG_NAMES_LIMIT);
    to->size = 0;
    while (to->names && (entry = readdir(folder))) {
        size_t length = strlen(entry->d_name) + 1;

        if (entry->d_name[0] != '.' && length <= FLAG_NAMES_LIMIT - to->size) {
            memcpy(to->names + to->size, entry->d_name, length);
            to->size += length;
        }
    }
    closedir(folder);
    errno = ENOMEM;
    return to->names != NULL;
}

static void take_names(struct flags *flags, const struct flag_names *names)
{
    unsigned down = swap_down(&flags->swap), up = 1 - down;
    const struct flag_names *old = &flags->sides[up];

    if (names->size == old->size &&
        (names->size == 0 || memcmp(names->names, old->names, names->size) == 0)) {
        free(names->names);
        return;
    }
    flags->sides[down] = *names;
    swap_turn(&flags->swap);
    free(flags->sides[up].names);
}

static void sample_flags(struct flags *flags)
{
    struct flag_names names = { .size = 0 };

    pthread_mutex_lock(&flags->sampling);
    /* No folder is no flags; a folder that cannot be read now leaves them as they are. */
    if (read_names(flags->path, &names) || errno == ENOENT) {
        take_names(flags, &names);
    }
    pthread_mutex_unlock(&flags->sampling);
}

const struct flag_names *flags_enter(struct flags *flags)
{
    return flags ? &flags->sides[swap_enter(&flags->swap)] : NULL;
}

void flags_leave(struct flags *flags, const struct flag_names *names)
{
    if (flags) {
        swap_leave(&flags->swap, (unsigned)(names - flags->sides));
    }
}

bool flag_is_on(const struct flag_names *names, struct slice name)
{
    size_t at = 0;

    while (names && at < names->size) {
        struct slice one = slice_from_string(names->names + at);

        if (slice_equal(one, name)) {
            return true;
        }
        at += one.size + 1;
    }
    return false;
}

static apr_status_t close_flags(void *baton)
{
    struct flags *flags = baton;

    free(flags->sides[1 - swap_down(&flags->swap)].names);
    pthread_mutex_destroy(&flags->sampling);
    return APR_SUCCESS;
}

static struct flags *flags_open(const char *path, server_rec *server, apr_pool_t *pconf)
{
    struct flags *flags = apr_pcalloc(pconf, sizeof(*flags));

    flags->path = path;
    if (pthread_mutex_init(&flags->sampling, NULL) != 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "R307-909: no memory for a lock");
        return NULL;
    }
    apr_pool_cleanup_register(pconf, flags, close_flags, apr_pool_cleanup_null);
    if (!read_names(path, &flags->sides[1 - swap_down(&flags->swap)])) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, errno, server,
            "R307-910: the folder of flags %s cannot be read; until it can, every flag is off",
            path);
    }
    return flags;
}

bool flags_open_all(apr_pool_t *pconf, server_rec *main_server)
{
    struct flags *first = NULL;

    for (server_rec *server = main_server; server; server = server->next) {
        struct server_settings *settings =
            ap_get_module_config(server->module_config, &redir307_module);
        struct flags *flags = first;

        settings->flags = NULL;
        if (!settings->flags_path || !*settings->flags_path) {
            continue;
        }
        while (flags && strcmp(flags->path, settings->flags_path) != 0) {
            flags = flags->next;
        }
        if (!flags) {
            flags = flags_open(settings->flags_path, server, pconf);
            if (!flags) {
                return false;
            }
            flags->next = first;
            first = flags;
        }
        settings->flags = flags;
    }
    apr_pool_userdata_set(first, flags_key, NULL, pconf);
    return true;
}

/* ---- how busy the server is ---- */

static atomic_uint busy_percent;

static bool is_busy(int status)
{
    return status >= SERVER_BUSY_READ && status <= SERVER_GRACEFUL;
}

static void sample_busy(void)
{
    int daemons = 0, threads = 0;
    unsigned busy = 0;

    if (!ap_scoreboard_image || ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &daemons) != APR_SUCCESS ||
        daemons <= 0) {
        return;
    }
    /* The prefork MPM has none. */
    if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) != APR_SUCCESS || threads <= 0) {
        threads = 1;
    }
    for (int i = 0; i < ap_scoreboard_image->global->server_limit; i++) {
        for (int j = 0; j < ap_scoreboard_image->global->thread_limit; j++) {
            busy += is_busy(ap_scoreboard_image->servers[i][j].status);
        }
    }
    busy = busy * 100 / ((unsigned)daemons * (unsigned)threads);
    /* A graceful restart keeps more workers for a while than there may be. */
    atomic_store(&busy_percent, busy < 100 ? busy : 100);
}

unsigned busy_percent_now(void)
{
    return atomic_load(&busy_percent);
}

/* Most rules ask for nothing but the URL. */
static bool is_load_asked_for(const server_rec *server)
{
    bool is_asked = false;

    for (struct rules_file *file = rules_files_first(server); file && !is_asked;
         file = rules_file_next(file)) {
        const struct served *served = rules_file_enter(file);

        is_asked = served->ruleset && ruleset_reads_facts(served->ruleset);
        rules_file_leave(file, served);
    }
    return is_asked;
}

void samples_take(const server_rec *server)
{
    if (is_load_asked_for(server)) {
        sample_busy();
    }
    for (struct flags *flags = flags_first(server); flags; flags = flags->next) {
        sample_flags(flags);
    }
}
