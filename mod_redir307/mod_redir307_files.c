/* SPDX-License-Identifier: Apache-2.0 */
/* The rule files while they are served: asking them, looking for new ones, swapping.
 *
 * The parent opens each file once (mod_redir307_open.c), and children inherit the mapping by
 * fork. From then on each process looks for itself (mod_redir307_watch.c, or the parent's
 * monitor hook for children yet to be born) and swaps for itself. What is good stays until
 * something good replaces it: where the path leads to nothing good, every child serves the last
 * good file that any of them has loaded (mod_redir307_last.c). What there is to tell about a
 * file is told once for all processes, through a block that they share. */
#include "mod_redir307/mod_redir307_files.h"

#include "http_log.h"

#include <unistd.h>

APLOG_USE_MODULE(redir307);

/* A file that was refused is tried again after this time although it is still the same: what
 * failed may have been the machine (no memory, no descriptors). */
#define RETRY_AFTER apr_time_from_sec(60)

const char rules_files_key[] = "mod_redir307.files";

struct rules_file *rules_files_first(const server_rec *main_server)
{
    void *first = NULL;

    apr_pool_userdata_get(&first, rules_files_key, main_server->process->pconf);
    return first;
}

struct rules_file *rules_file_next(const struct rules_file *file)
{
    return file->next;
}

unsigned rules_files_count(const server_rec *main_server)
{
    unsigned count = 0;

    for (const struct rules_file *file = rules_files_first(main_server); file;
         file = file->next) {
        count++;
    }
    return count;
}

apr_interval_time_t rules_file_interval(const struct rules_file *file)
{
    return file->interval;
}

uint64_t rules_file_salt(const struct rules_file *file)
{
    return file->salt;
}

/* ---- what is told ---- */

/* Never 0. */
static uint64_t identity_hash(const struct ruleset_identity *identity)
{
    const uint64_t parts[] = { identity->device,
                               identity->inode,
                               identity->size,
                               (uint64_t)identity->modified_s,
                               (uint64_t)identity->modified_ns,
                               (uint64_t)identity->changed_s,
                               (uint64_t)identity->changed_ns };
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        hash = (hash ^ parts[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash | 1;
}

static bool is_news(_Atomic uint64_t *told, const struct ruleset_identity *identity)
{
    uint64_t hash = identity_hash(identity);

    return atomic_exchange(told, hash) != hash;
}

/* httpd answers 404 to `%2F` before any module is asked, or decodes it, unless told to leave it
 * alone. */
static void tell_encoded_slash(const struct rules_file *file)
{
    if (!file->has_encoded_slashes && ruleset_needs_encoded_slash(file->map.ruleset)) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, file->server,
            "R307-905: %s has rules for paths with %%2F, which httpd keeps from every module; "
            "write \"AllowEncodedSlashes NoDecode\" into each server that uses this file (%s)",
            file->path, file->written_at);
    }
}

static void tell(struct rules_file *file, int level)
{
    struct ruleset_counts counts;
    char id[RULESET_ID_SIZE + 1];

    atomic_store(&file->told->refused, 0);
    if (!is_news(&file->told->taken, &file->map.identity)) {
        return;
    }
    ruleset_counts(file->map.ruleset, &counts);
    ruleset_id(file->map.ruleset, id);
    ap_log_error(APLOG_MARK, level, 0, file->server,
                 "R307-901: %s: %" APR_UINT64_T_FMT " rules answer now (id %s)", file->path,
                 (apr_uint64_t)counts.rules, id);
    tell_encoded_slash(file);
}

static void tell_refused(struct rules_file *file, const struct ruleset_identity *identity,
                         const char *reason)
{
    char id[RULESET_ID_SIZE + 1];

    if (!is_news(&file->told->refused, identity)) {
        return;
    }
    if (!file->is_in_child && last_good_is_newer(&file->kept->last)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, file->server,
                     "R307-902: %s: %s; the rules that were loaded before stay", file->path,
                     reason);
    } else if (file->map.ruleset) {
        ruleset_id(file->map.ruleset, id);
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, file->server,
                     "R307-902: %s: %s; the rules that were loaded before stay (id %s)",
                     file->path, reason, id);
    } else {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, file->server,
                     "R307-903: %s: %s; without rules every request is left to httpd until "
                     "this file is good (%s)",
                     file->path, reason, file->written_at);
    }
}

/* ---- taking a file ---- */

void rules_file_hold(struct rules_file *file, const struct ruleset_map *map,
                     apr_time_t loaded_at)
{
    struct ruleset_counts counts = { .regexes = 0 };
    unsigned side = swap_down(&file->swap);

    if (map->ruleset) {
        ruleset_counts(map->ruleset, &counts);
    }
    file->map = *map;
    file->served[side] = (struct served){ .ruleset = map->ruleset,
                                          .has_regexes = counts.regexes != 0,
                                          .loaded_at = loaded_at,
                                          .serial = ++file->serial,
                                          .side = side };
    swap_turn(&file->swap);
}

/* The parent guards nothing for good, and must live on when a file is cut short that it reads.
 * NULL: this process guards its mappings already. */
static apr_pool_t *guard_for_now(const void *bytes, size_t size)
{
    apr_pool_t *pool = NULL;

    if (!sigbus_is_installed()) {
        apr_pool_create(&pool, NULL);
        sigbus_install(pool, 1);
        sigbus_guard(bytes, size);
    }
    return pool;
}

static void unguard(apr_pool_t *pool)
{
    if (pool) {
        sigbus_uninstall();
        apr_pool_destroy(pool);
    }
}

/* What ruleset_map_begin has begun. */
static bool finish(struct ruleset_map *map, char *reason)
{
    apr_pool_t *guard;
    bool is_good;

    guard = guard_for_now(map->bytes, map->size);
    if (!guard) {
        sigbus_guard(map->bytes, map->size);
    }
    is_good = ruleset_map_finish(map, reason);
    if (is_good && counters_are_on()) {
        ruleset_identify(map->ruleset);
    }
    unguard(guard);
    if (!is_good) {
        sigbus_release(map->bytes);
        ruleset_map_close(map);
    }
    return is_good;
}

bool rules_file_map(const char *path, enum ruleset_map_how how, struct ruleset_map *map,
                    char reason[RULESET_REASON_SIZE])
{
    return ruleset_map_begin(path, how, map, reason) && finish(map, reason);
}

static void replace(struct rules_file *file, const struct ruleset_map *opened, uint64_t number)
{
    apr_time_t now = apr_time_now();
    struct ruleset_map old = file->map;

    rules_file_hold(file, opened, now);
    file->kept->bytes = opened->bytes;
    file->kept->size = opened->size;
    file->kept->identity = opened->identity;
    file->kept->how = file->how;
    file->kept->has_right_digests = false;
    file->kept->loaded_at = now;
    file->kept->last.number = number;
    if (old.ruleset) {
        sigbus_release(old.bytes);
        ruleset_map_close(&old);
    }
}

static void drop(struct rules_file *file, uint64_t number)
{
    replace(file, &(struct ruleset_map){ .ruleset = NULL }, number);
}

/* Somebody may have written into the mapped file itself, or cut it short: then what is left of
 * the rules would send visitors anywhere. */
static void drop_if_damaged(struct rules_file *file)
{
    struct ruleset *again = NULL;
    apr_pool_t *guard;

    if (!file->map.ruleset) {
        return;
    }
    guard = guard_for_now(file->map.bytes, file->map.size);
    if (ruleset_open(file->map.bytes, file->map.size, &again) == RULESET_OK) {
        ruleset_close(again);
    }
    unguard(guard);
    if (!again) {
        drop(file, file->kept->last.number);
    }
}

/* Where it was damaged in place since, there are no rules: what was loaded before it is old. */
static void take_or_drop(struct rules_file *file, int from, uint64_t number,
                         const struct ruleset_identity *identity)
{
    struct ruleset_map opened = { .ruleset = NULL };
    char reason[RULESET_REASON_SIZE];
    enum ruleset_status status = ruleset_map_begin_taken(from, file->how, &opened);

    if (status == RULESET_OK && finish(&opened, reason)) {
        opened.identity = *identity;
        replace(file, &opened, number);
    } else if (status != RULESET_NO_MEMORY) {
        drop(file, number);
    }
}

/* What another child has loaded since this one looked, or its parent did. Told and counted it
 * was by that one. */
static void take_from_others(struct rules_file *file)
{
    struct ruleset_identity identity;
    uint64_t number;
    int from;

    if (!file->is_in_child || !last_good_is_newer(&file->kept->last)) {
        return;
    }
    from = last_good_take(&file->kept->last, &number, &identity);
    if (from < 0) {
        return;
    }
    if (file->map.ruleset && ruleset_identity_equal(&file->map.identity, &identity)) {
        file->kept->last.number = number;
    } else {
        take_or_drop(file, from, number, &identity);
    }
    close(from);
}

/* Opens the file at the path, and lets children that are born later have it if it is good. */
static bool map_at_path(struct rules_file *file, uint64_t number, struct ruleset_map *opened,
                        char *reason)
{
    bool is_good;
    int from;

    if (!file->is_in_child) {
        return rules_file_map(file->path, file->how, opened, reason);
    }
    if (!ruleset_map_begin_file(file->path, file->how, opened, &from, reason)) {
        return false;
    }
    is_good = finish(opened, reason);
    /* Before it answers: what has answered is never older than what a newborn child finds. */
    if (is_good) {
        last_good_offer(&file->kept->last, number, &opened->identity, from);
    }
    if (from >= 0) {
        close(from);
    }
    return is_good;
}

/* A restart tells of a file again, but does not count it again. */
static void count_load(struct rules_file *file)
{
    struct file_totals *totals = file->kept->totals;

    if (is_news(&totals->counted.taken, &file->map.identity)) {
        atomic_fetch_add(&totals->loads, 1);
    }
    atomic_store(&totals->counted.refused, 0);
}

void rules_file_taken(struct rules_file *file, int level)
{
    count_load(file);
    tell(file, level);
}

static void count_failure(struct rules_file *file)
{
    struct file_totals *totals = file->kept->totals;

    if (is_news(&totals->counted.refused, &file->refused)) {
        atomic_fetch_add(&totals->failures, 1);
    }
}

void rules_file_load(struct rules_file *file, int level)
{
    struct ruleset_map opened = { .ruleset = NULL };
    char reason[RULESET_REASON_SIZE];
    uint64_t number = last_good_draw(&file->kept->last);

    if (map_at_path(file, number, &opened, reason)) {
        replace(file, &opened, number);
        file->has_refused = false;
        rules_file_taken(file, level);
    } else {
        file->has_refused = true;
        file->refused = opened.identity;
        file->refused_at = file->reason_at = apr_time_now();
        memcpy(file->reason, reason, sizeof(reason));
        count_failure(file);
        drop_if_damaged(file);
        take_from_others(file);
        tell_refused(file, &opened.identity, reason);
    }
}

static bool is_refused_still(const struct rules_file *file,
                             const struct ruleset_identity *identity)
{
    apr_interval_time_t age = apr_time_now() - file->refused_at;

    /* A negative age: the clock was set back. */
    return file->has_refused && ruleset_identity_equal(&file->refused, identity) && age >= 0 &&
           age < RETRY_AFTER;
}

void rules_file_look(struct rules_file *file)
{
    struct ruleset_identity identity = { .size = 0 };
    /* What the parent holds is newer than all if it stands at the path now. */
    uint64_t number = file->is_in_child ? 0 : last_good_draw(&file->kept->last);

    pthread_mutex_lock(&file->looking);
    if (ruleset_identity_of(file->path, &identity) != 0) {
        identity = (struct ruleset_identity){ .size = 0 };
    }
    if (file->map.ruleset && ruleset_identity_equal(&file->map.identity, &identity) &&
        !sigbus_was_hit(file->map.bytes)) {
        if (!file->is_in_child) {
            file->kept->last.number = number;
        }
        if (file->has_refused) {
            file->has_refused = false;
            atomic_store(&file->told->refused, 0);
        }
    } else if (!is_refused_still(file, &identity)) {
        rules_file_load(file, APLOG_NOTICE);
    } else {
        take_from_others(file);
    }
    pthread_mutex_unlock(&file->looking);
}

void rules_files_inherit(apr_pool_t *pchild, server_rec *main_server)
{
    unsigned count = rules_files_count(main_server);

    if (count == 0) {
        return;
    }
    /* Twice: while a file is swapped, its old and its new mapping are guarded. */
    sigbus_install(pchild, 2 * count);
    for (struct rules_file *file = rules_files_first(main_server); file; file = file->next) {
        file->is_in_child = true;
        sigbus_guard(file->map.bytes, file->map.size);
        take_from_others(file);
    }
}
