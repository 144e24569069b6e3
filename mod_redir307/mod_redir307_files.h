/* SPDX-License-Identifier: Apache-2.0 */
/* One served rule file, as the files that open, keep and watch it see it. Of all this
 * mod_redir307.c needs to enter and to leave. */
#ifndef MOD_REDIR307_MOD_REDIR307_FILES_H
#define MOD_REDIR307_MOD_REDIR307_FILES_H

#include "mod_redir307/mod_redir307.h"
#include "mod_redir307/mod_redir307_swap.h"
#include "mod_redir307/ruleset_map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

/* What all processes of one configuration have told about a file: hashes of identities, 0 for
 * none. */
struct told {
    _Atomic uint64_t refused, taken;
};

/* Numbers of files, in the order in which processes opened them. */
struct last_good_shared {
    _Atomic uint64_t drawn;   /* the highest */
    _Atomic uint64_t offered; /* of the file that is there to be taken; 0: none is */
};

/* The last good file that a child has loaded, kept for those that are born later. */
struct last_good {
    int inlet, outlet; /* -1: nothing can be kept here */
    int lock;
    off_t lock_at;
    uint64_t number; /* of what this process holds, or held until it was damaged */
    struct last_good_shared *shared;
};

/* What all processes did with a file since httpd was started. */
struct file_totals {
    _Atomic uint64_t loads, failures; /* each file that was put in place counts once */
    struct told counted;              /* the last of each */
    struct last_good_shared last;
};

/* The bytes of a last good file, beyond a restart. */
struct kept_file {
    struct kept_file *next;
    apr_pool_t *pool; /* of this struct */
    const char *path;
    const void *bytes; /* a private mapping; NULL: none was ever good */
    size_t size;
    struct ruleset_identity identity;
    bool has_right_digests; /* asked a moment ago, by this process */
    bool is_named;          /* by the configuration of now */
    enum ruleset_map_how how;
    apr_time_t loaded_at;
    struct file_totals *totals; /* in shared memory */
    struct last_good last;
};

struct rules_file {
    struct rules_file *next;
    const char *path;
    const char *written_at;
    uint64_t salt;
    server_rec *server;           /* the first that names it: where its log lines go */
    apr_interval_time_t interval; /* the shortest that a server asks for */
    bool is_passed_when_bad;      /* every server that names it would rather start */
    enum ruleset_map_how how; /* a copy where one server that names it wants that */
    bool has_encoded_slashes; /* every server that names it has AllowEncodedSlashes NoDecode */
    bool is_in_child; /* this process answers requests, with the rights of who does */

    struct swap swap; /* over the next */
    struct served served[2];

    /* Over the rest: one thread of a process loads. */
    pthread_mutex_t looking;
    struct ruleset_map map; /* what is served; ruleset is NULL until a file was good */
    unsigned serial;
    bool has_refused;
    struct ruleset_identity refused;
    apr_time_t refused_at;
    char reason[RULESET_REASON_SIZE]; /* of the last refusal; empty: there was none */
    apr_time_t reason_at;
    struct told *told;
    struct kept_file *kept;
};

/* ruleset_map_open, verified in place: this process lives on where somebody cuts the file short. In a child the bytes are
 * guarded from then on. */
bool rules_file_map(const char *path, enum ruleset_map_how how, struct ruleset_map *map,
                    char reason[RULESET_REASON_SIZE]);

/* It stays as it is until rules_file_leave, which must follow, soon: a swap waits for it. */
static inline const struct served *rules_file_enter(struct rules_file *file)
{
    return &file->served[swap_enter(&file->swap)];
}

static inline void rules_file_leave(struct rules_file *file, const struct served *served)
{
    swap_leave(&file->swap, served->side);
}

/* From now on these rules answer, and nobody asks the old ones any more. */
void rules_file_hold(struct rules_file *file, const struct ruleset_map *map,
                     apr_time_t loaded_at);

/* Opens the file and takes it, or tells why not; `level` is that of the line about a file that
 * is taken. The caller holds `looking`, or is alone. */
void rules_file_load(struct rules_file *file, int level);

/* The file was taken: counts it, and tells once for all processes which rules it holds. */
void rules_file_taken(struct rules_file *file, int level);

/* Under this key the list hangs on the configuration's pool: no state outlives it. */
extern const char rules_files_key[];

/* ---- from child to child (mod_redir307_last.c) ---- */

/* For all files of a server; -1 where there is none to be had. */
int last_good_lock(void);

/* In the parent, before there are children. `shared` is in shared memory, or NULL where that is
 * not to be had; `lock_at` tells this file from others with the same lock. */
void last_good_init(struct last_good *last, struct last_good_shared *shared, int lock_file,
                    unsigned lock_at);
/* Leaves the lock open. */
void last_good_fini(struct last_good *last);

/* The number of a file that is about to be opened. */
uint64_t last_good_draw(struct last_good *last);

/* In a child: a good file, verified; it is for the others from now on, unless they have a newer
 * one. `file` stays the caller's; -1 is allowed. */
void last_good_offer(const struct last_good *last, uint64_t number,
                     const struct ruleset_identity *identity, int file);

/* Whether some child has loaded a newer file than this process. */
bool last_good_is_newer(const struct last_good *last);

/* In a child: a descriptor of it, for the caller to verify and to close, and what file it was
 * when it was opened; -1: none. */
int last_good_take(const struct last_good *last, uint64_t *number,
                   struct ruleset_identity *identity);

/* ---- beyond a restart (mod_redir307_kept.c) ---- */

/* Gives each file of the list its `kept`, and lets go what is kept of files that are in it no
 * more. */
void kept_connect(struct rules_file *first, apr_pool_t *process_pool, apr_pool_t *scratch);

/* Keeps what was opened, for the configuration that this one is read again for. */
void kept_give(struct kept_file *kept, struct ruleset_map *map, enum ruleset_map_how how);

/* Takes the last good bytes again, if there are any and they are still good. */
void kept_reopen(struct rules_file *file, apr_pool_t *scratch);

#endif
