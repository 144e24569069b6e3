/* SPDX-License-Identifier: Apache-2.0 */
/* The rule files at a start: which ones the servers name, whether they are good, and who else
 * could change them. A cold start and `httpd -t` refuse a bad file; a restart never does, for
 * the server behind it still answers. */
#include "mod_redir307/mod_redir307_files.h"

#include "mod_redir307/hash.h"

#include "apr_shm.h"
#include "apr_strings.h"
#include "http_core.h"
#include "http_log.h"
#include "unixd.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

APLOG_USE_MODULE(redir307);

static bool has_encoded_slashes(const server_rec *server)
{
    const core_dir_config *core = ap_get_core_module_config(server->lookup_defaults);

    return core->allow_encoded_slashes && !core->decode_encoded_slashes;
}

static apr_interval_time_t shorter(apr_interval_time_t a, apr_interval_time_t b)
{
    if (a == WATCH_OFF || b == WATCH_OFF) {
        return a == WATCH_OFF ? b : a;
    }
    return a < b ? a : b;
}

static struct rules_file *file_find(struct rules_file *first, const char *path)
{
    while (first && strcmp(first->path, path) != 0) {
        first = first->next;
    }
    return first;
}

static bool names_rules(const struct server_settings *settings)
{
    return settings->rules && *settings->rules;
}

/* The files that servers name, in the order of the servers, not yet opened. */
static struct rules_file *collect(apr_pool_t *pool, server_rec *main_server)
{
    struct rules_file *first = NULL, **end = &first;

    for (server_rec *server = main_server; server; server = server->next) {
        const struct server_settings *settings =
            ap_get_module_config(server->module_config, &redir307_module);
        struct rules_file *file;

        if (!names_rules(settings)) {
            continue;
        }
        file = file_find(first, settings->rules);
        if (!file) {
            file = apr_pcalloc(pool, sizeof(*file));
            file->path = settings->rules;
            file->written_at = settings->written_at;
            file->salt = hash_bytes(slice_from_string(file->path), 0);
            file->server = server;
            file->interval = WATCH_OFF;
            file->is_passed_when_bad = true;
            file->how = RULESET_MAP_SHARED_PAGES;
            file->has_encoded_slashes = true;
            *end = file;
            end = &file->next;
        }
        file->interval = shorter(file->interval, settings->watch);
        file->is_passed_when_bad &= settings->on_bad_file == ON_BAD_FILE_PASS;
        if (settings->copy == TOGGLE_ON) {
            file->how = RULESET_MAP_COPY;
        }
        file->has_encoded_slashes &= has_encoded_slashes(server);
    }
    return first;
}

int rules_files_check(apr_pool_t *scratch, server_rec *main_server)
{
    bool is_test = ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST;
    struct rules_file *first = collect(scratch, main_server);
    int result = OK;

    kept_connect(first, main_server->process->pool, scratch);
    for (struct rules_file *file = first; file; file = file->next) {
        struct ruleset_map map = { .ruleset = NULL };
        char reason[RULESET_REASON_SIZE];

        if (rules_file_map(file->path, RULESET_MAP_SHARED_PAGES, &map, reason)) {
            kept_give(file->kept, &map, RULESET_MAP_SHARED_PAGES);
        } else if (is_test || !file->is_passed_when_bad) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, main_server,
                         "R307-904: %s: %s (Redir307Rules at %s)", file->path, reason,
                         file->written_at);
            result = HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return result;
}

/* Whoever can write the file, or put another in its place, decides where visitors go. */
static void warn_if_writable(const struct rules_file *file, const char *path, const char *what)
{
    struct stat status;
    const char *who = NULL;

    /* What is no file and no folder was refused already, and /dev/zero may be written. */
    if (stat(path, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))) {
        return;
    }
    if (status.st_mode & S_IWOTH) {
        who = "everybody";
    }
    /* Started by a plain user, the server can do what that user can, and no User directive
     * holds. */
    else if (geteuid() == 0 && ap_unixd_config.user_id != 0 &&
             ((status.st_uid == ap_unixd_config.user_id && (status.st_mode & S_IWUSR)) ||
              (status.st_gid == ap_unixd_config.group_id && (status.st_mode & S_IWGRP)))) {
        who = "the user that httpd answers requests as";
    }
    if (who) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, file->server,
                     "R307-906: %s %s can be written by %s, who could then redirect any "
                     "visitor; take that right "
                     "away (chmod, chown)",
                     what, path, who);
    }
}

static void warn_if_open_to_others(const struct rules_file *file, apr_pool_t *scratch)
{
    const char *directory = ap_make_dirstr_parent(scratch, file->path);
    char *target = realpath(file->path, NULL);

    warn_if_writable(file, file->path, "the rule file");
    warn_if_writable(file, directory, "the folder of the rule file");
    if (target) {
        const char *target_directory = ap_make_dirstr_parent(scratch, target);

        /* A symbolic link: whoever writes where it leads decides as well. */
        if (strcmp(target, file->path) != 0 && strcmp(target_directory, directory) != 0) {
            warn_if_writable(file, target_directory, "the folder of the rule file");
        }
        free(target);
    }
}

/* False: this start must not go on. */
static bool open_first(struct rules_file *file, apr_pool_t *scratch)
{
    bool is_restart = ap_state_query(AP_SQ_CONFIG_GEN) > 1;
    uint64_t number = last_good_draw(&file->kept->last);
    struct ruleset_identity identity;

    kept_reopen(file, scratch);
    if (file->map.ruleset && file->kept->how == file->how &&
        ruleset_identity_of(file->path, &identity) == 0 &&
        ruleset_identity_equal(&file->map.identity, &identity)) {
        file->kept->last.number = number;
        rules_file_taken(file, APLOG_INFO);
    } else {
        rules_file_load(file, APLOG_INFO);
    }
    if (file->map.ruleset) {
        warn_if_open_to_others(file, scratch);
    }
    return file->map.ruleset || is_restart || file->is_passed_when_bad;
}

/* Leaves the bytes to file->kept. */
static apr_status_t close_file(void *baton)
{
    struct rules_file *file = baton;

    ruleset_close(file->map.ruleset);
    file->map.ruleset = NULL;
    pthread_mutex_destroy(&file->looking);
    return APR_SUCCESS;
}

int rules_files_open(apr_pool_t *pconf, apr_pool_t *scratch, server_rec *main_server)
{
    struct rules_file *first = collect(pconf, main_server);
    apr_shm_t *shared;
    struct told *told;
    unsigned count;
    bool may_go_on = true;

    apr_pool_userdata_set(first, rules_files_key, NULL, pconf);
    kept_connect(first, main_server->process->pool, scratch);
    count = rules_files_count(main_server);
    if (count == 0) {
        return OK;
    }
    /* Without shared memory each process tells for itself. */
    told = apr_shm_create(&shared, count * sizeof(*told), NULL, pconf) == APR_SUCCESS
               ? apr_shm_baseaddr_get(shared)
               : apr_palloc(pconf, count * sizeof(*told));
    memset(told, 0, count * sizeof(*told));
    for (struct rules_file *file = first; file; file = file->next) {
        file->told = told++;
        if (pthread_mutex_init(&file->looking, NULL) != 0) {
            ap_log_error(APLOG_MARK, APLOG_CRIT, 0, main_server,
                         "R307-909: no memory for a lock");
            return HTTP_INTERNAL_SERVER_ERROR;
        }
        apr_pool_cleanup_register(pconf, file, close_file, apr_pool_cleanup_null);
        may_go_on &= open_first(file, scratch);
    }
    for (server_rec *server = main_server; server; server = server->next) {
        struct server_settings *settings =
            ap_get_module_config(server->module_config, &redir307_module);

        settings->file = names_rules(settings) ? file_find(first, settings->rules) : NULL;
        settings->looks_each_request =
            settings->file && settings->file->interval == WATCH_EACH_REQUEST;
    }
    return may_go_on ? OK : HTTP_INTERNAL_SERVER_ERROR;
}
