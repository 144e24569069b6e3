/* SPDX-License-Identifier: Apache-2.0 */
/* The last good bytes of each rule file, beyond a restart. httpd unloads this code and drops
 * its configuration at each one; mappings stay, and a retained block of httpd's says where.
 * They are opened anew, for the code that reads them may be another version by then. */
#include "mod_redir307/mod_redir307_files.h"

#include "apr_shm.h"
#include "apr_strings.h"
#include "http_config.h"

#include <sys/mman.h>

struct kept {
    struct kept_file *first;
    int lock;
    unsigned count; /* of files that ever were */
};

/* Raised with each change of these structs; a name of its own, so that a block of another
 * version is never read. */
enum { KEPT_VERSION = 5 };

static struct kept *kept_find(apr_pool_t *pool)
{
    const char *key = apr_psprintf(pool, "mod_redir307.kept.%d.%d", (int)KEPT_VERSION,
                                   (int)sizeof(struct kept_file));
    struct kept *kept = ap_retained_data_get(key);

    if (!kept) {
        kept = ap_retained_data_create(key, sizeof(*kept));
        kept->lock = last_good_lock();
    }
    return kept;
}

static struct kept_file *kept_add(struct kept *kept, const char *path, apr_pool_t *process_pool)
{
    struct kept_file *file;
    apr_shm_t *shared;
    apr_pool_t *pool;
    bool is_shared;

    for (file = kept->first; file; file = file->next) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    apr_pool_create(&pool, process_pool);
    file = apr_pcalloc(pool, sizeof(*file));
    file->pool = pool;
    file->path = apr_pstrdup(pool, path);
    /* Without shared memory each process counts for itself. */
    is_shared = apr_shm_create(&shared, sizeof(*file->totals), NULL, pool) == APR_SUCCESS;
    file->totals =
        is_shared ? apr_shm_baseaddr_get(shared) : apr_palloc(pool, sizeof(*file->totals));
    memset(file->totals, 0, sizeof(*file->totals));
    last_good_init(&file->last, is_shared ? &file->totals->last : NULL, kept->lock,
                   kept->count++);
    file->next = kept->first;
    kept->first = file;
    return file;
}

static void kept_drop_bytes(struct kept_file *kept)
{
    if (kept->bytes) {
        munmap((void *)(uintptr_t)kept->bytes, kept->size);
        kept->bytes = NULL;
    }
}

/* Drops what no server names any more. */
static void kept_sweep(struct kept *kept)
{
    struct kept_file **link = &kept->first;

    while (*link) {
        struct kept_file *file = *link;

        if (file->is_named) {
            link = &file->next;
            continue;
        }
        *link = file->next;
        kept_drop_bytes(file);
        last_good_fini(&file->last);
        apr_pool_destroy(file->pool);
    }
}

void kept_connect(struct rules_file *first, apr_pool_t *process_pool, apr_pool_t *scratch)
{
    struct kept *kept = kept_find(scratch);

    for (struct kept_file *file = kept->first; file; file = file->next) {
        file->is_named = false;
    }
    for (struct rules_file *file = first; file; file = file->next) {
        file->kept = kept_add(kept, file->path, process_pool);
        file->kept->is_named = true;
    }
    kept_sweep(kept);
}

void kept_give(struct kept_file *kept, struct ruleset_map *map, enum ruleset_map_how how)
{
    kept_drop_bytes(kept);
    kept->bytes = map->bytes;
    kept->size = map->size;
    kept->identity = map->identity;
    kept->has_right_digests = true;
    kept->how = how;
    kept->loaded_at = apr_time_now();
    ruleset_close(map->ruleset);
    *map = (struct ruleset_map){ .ruleset = NULL };
}

void kept_reopen(struct rules_file *file, apr_pool_t *scratch)
{
    struct kept_file *kept = file->kept;
    struct ruleset *ruleset = NULL;
    enum ruleset_status status;

    if (!kept->bytes) {
        return;
    }
    /* They were good, but the file may have been cut short since: the parent must live on. */
    sigbus_install(scratch, 1);
    sigbus_guard(kept->bytes, kept->size);
    status = kept->has_right_digests ? ruleset_open_again(kept->bytes, kept->size, &ruleset)
                                     : ruleset_open(kept->bytes, kept->size, &ruleset);
    kept->has_right_digests = false;
    if (status == RULESET_OK && counters_are_on()) {
        ruleset_identify(ruleset);
    }
    sigbus_uninstall();
    if (status != RULESET_OK) {
        kept_drop_bytes(kept);
        return;
    }
    rules_file_hold(file,
                    &(struct ruleset_map){ .ruleset = ruleset,
                                           .bytes = kept->bytes,
                                           .size = kept->size,
                                           .identity = kept->identity },
                    kept->loaded_at);
}
