/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "t/bench/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_CDB
#include <cdb.h>
#include <fcntl.h>
#include <unistd.h>
#endif
#ifdef HAVE_APU
#include <apr_dbm.h>
#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#endif

enum { LINE_LIMIT = 8192 };

struct peers {
#ifdef HAVE_CDB
    struct cdb cdb;
#endif
#ifdef HAVE_APU
    apr_pool_t *pool, *request; /* `request` is cleared after each question */
    char *dbm_file, *dbm_page_file;
    apr_thread_mutex_t *lock;
    apr_hash_t *maps;
#endif
    bool has_cdb, has_dbm;
};

#if defined HAVE_CDB || defined HAVE_APU
static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "lookup: %s: %s\n", what, why);
    exit(3);
}

struct pair {
    char *key, *value;
};

static bool read_pair(FILE *in, const char *keys, char line[LINE_LIMIT], struct pair *pair)
{
    if (!fgets(line, LINE_LIMIT, in)) return false;
    line[strcspn(line, "\n")] = '\0';
    char *tab = strchr(line, '\t');
    if (!tab) fail(keys, "a line is \"path TAB target\"");
    *tab = '\0';
    *pair = (struct pair){ .key = line, .value = tab + 1 };
    return true;
}
#endif

/* ---- tinycdb ---- */

#ifdef HAVE_CDB
static void open_cdb(struct peers *peers, const char *keys)
{
    char name[4096], line[LINE_LIMIT];
    struct cdb_make make;
    struct pair pair;
    FILE *in = fopen(keys, "r");

    snprintf(name, sizeof name, "%s.cdb", keys);
    int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (!in || file < 0 || cdb_make_start(&make, file) != 0) fail(keys, "no cdb can be made of it");
    while (read_pair(in, keys, line, &pair)) {
        if (cdb_make_add(&make, pair.key, (unsigned)strlen(pair.key), pair.value, (unsigned)strlen(pair.value)) != 0) {
            fail(name, "it cannot be written");
        }
    }
    fclose(in);
    if (cdb_make_finish(&make) != 0 || cdb_init(&peers->cdb, file) != 0) fail(name, "it cannot be opened");
    unlink(name);
    peers->has_cdb = true;
}

uint64_t peers_ask_cdb(struct peers *peers, struct slice path)
{
    const unsigned char *data;

    if (cdb_find(&peers->cdb, path.data, (unsigned)path.size) <= 0) return 1;
    data = cdb_getdata(&peers->cdb);
    return data ? data[0] : 2;
}
#else
uint64_t peers_ask_cdb(struct peers *peers, struct slice path)
{
    (void)peers;
    return path.size;
}
#endif

/* ---- RewriteMap dbm: ---- */

#ifdef HAVE_APU
static void open_dbm(struct peers *peers, const char *keys)
{
    char line[LINE_LIMIT];
    struct pair pair;
    apr_dbm_t *dbm;
    FILE *in = fopen(keys, "r");

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&peers->pool, NULL) != APR_SUCCESS
        || apr_pool_create(&peers->request, peers->pool) != APR_SUCCESS
        || apr_thread_mutex_create(&peers->lock, APR_THREAD_MUTEX_DEFAULT, peers->pool) != APR_SUCCESS) {
        fail("APR", "it cannot be started");
    }
    peers->dbm_file = apr_pstrcat(peers->pool, keys, ".dbm", NULL);
    peers->dbm_page_file = apr_pstrcat(peers->pool, peers->dbm_file, ".pag", NULL);
    peers->maps = apr_hash_make(peers->pool);
    apr_hash_set(peers->maps, "map", APR_HASH_KEY_STRING, apr_hash_make(peers->pool));
    if (!in || apr_dbm_open_ex(&dbm, "sdbm", peers->dbm_file, APR_DBM_RWTRUNC, APR_FPROT_OS_DEFAULT, peers->request) != APR_SUCCESS) {
        fail(keys, "no dbm can be made of it");
    }
    while (read_pair(in, keys, line, &pair)) {
        const apr_datum_t key = { pair.key, strlen(pair.key) }, value = { pair.value, strlen(pair.value) };

        if (apr_dbm_store(dbm, key, value) != APR_SUCCESS) fail(peers->dbm_file, "it cannot be written");
    }
    fclose(in);
    apr_dbm_close(dbm);
    apr_pool_clear(peers->request);
    peers->has_dbm = true;
}

/* The steps of mod_rewrite's lookup_map for MAPTYPE_DBM, in their order. */
static const char *ask_cache(struct peers *peers, struct slice path)
{
    apr_finfo_t status;

    if (apr_stat(&status, peers->dbm_page_file, APR_FINFO_MIN, peers->request) != APR_SUCCESS) return NULL;
    const char *key = apr_pstrmemdup(peers->request, path.data, path.size);
    apr_thread_mutex_lock(peers->lock);
    apr_hash_t *map = apr_hash_get(peers->maps, "map", APR_HASH_KEY_STRING);
    const char *value = apr_hash_get(map, key, APR_HASH_KEY_STRING);
    if (value) value = apr_pstrdup(peers->request, value);
    apr_thread_mutex_unlock(peers->lock);
    return value;
}

uint64_t peers_ask_cache(struct peers *peers, struct slice path)
{
    const char *value = ask_cache(peers, path);
    uint64_t got = value && *value ? (unsigned char)*value : 1;

    apr_pool_clear(peers->request);
    return got;
}

uint64_t peers_ask_dbm(struct peers *peers, struct slice path)
{
    const char *value = ask_cache(peers, slice_of("", 0));
    apr_datum_t key = { apr_pstrmemdup(peers->request, path.data, path.size), path.size }, found = { NULL, 0 };
    apr_dbm_t *dbm;

    if (!value && apr_dbm_open_ex(&dbm, "sdbm", peers->dbm_file, APR_DBM_READONLY, APR_FPROT_OS_DEFAULT, peers->request) == APR_SUCCESS) {
        if (apr_dbm_fetch(dbm, key, &found) == APR_SUCCESS && found.dptr) {
            value = apr_pstrmemdup(peers->request, found.dptr, found.dsize);
        }
        apr_dbm_close(dbm);
    }
    uint64_t got = value ? (unsigned char)*value : 1;
    apr_pool_clear(peers->request);
    return got;
}

/* What is not in the map is kept, too: as an empty value. */
void peers_learn(struct peers *peers, struct slice path)
{
    apr_hash_t *map = apr_hash_get(peers->maps, "map", APR_HASH_KEY_STRING);

    apr_hash_set(map, apr_pstrmemdup(peers->pool, path.data, path.size), APR_HASH_KEY_STRING,
                 peers_ask_dbm(peers, path) == 1 ? "" : "/a/new/place/for/the/article");
}
#else
uint64_t peers_ask_cache(struct peers *peers, struct slice path)
{
    (void)peers;
    return path.size;
}

uint64_t peers_ask_dbm(struct peers *peers, struct slice path)
{
    (void)peers;
    return path.size;
}

void peers_learn(struct peers *peers, struct slice path)
{
    (void)peers;
    (void)path;
}
#endif

struct peers *peers_open(const char *cdb_keys, const char *dbm_keys)
{
    struct peers *peers = calloc(1, sizeof *peers);

    if (!peers) exit(3);
#ifdef HAVE_CDB
    if (cdb_keys) open_cdb(peers, cdb_keys);
#endif
#ifdef HAVE_APU
    if (dbm_keys) open_dbm(peers, dbm_keys);
#endif
    (void)cdb_keys;
    (void)dbm_keys;
    return peers;
}

bool peers_have_cdb(const struct peers *peers)
{
    return peers->has_cdb;
}

bool peers_have_dbm(const struct peers *peers)
{
    return peers->has_dbm;
}
