/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of releases, as deploy, rollback and releases keep it:
 *
 *   DIR/current.r307        what the server maps: a hard link to one of the releases, replaced by rename
 *   DIR/releases/ID.r307    every rule file that was deployed, by its id; read-only
 *   DIR/history             one line for each change: TIME deploy|rollback ID RULES; its lock is the folder's lock
 *
 * Why a hard link: the link is made beside current.r307 and renamed over it, so at every moment the name leads to a
 * whole file; no release that is removed, moved or left out of a copy of the folder can leave it dangling, as a
 * symbolic link would; and it needs no room, so that a full disk does not stop a roll-back. Where the file system or
 * the kernel refuses hard links, it is a relative symbolic link, renamed in the same way.
 * What is current is never told by the history: it is the id of what current.r307 holds. */
#ifndef RULEC_RELEASE_STORE_H
#define RULEC_RELEASE_STORE_H

#include "grammar/arena.h"
#include "mod_redir307/ruleset.h"
#include "rulec/release_history.h"

#include <stdbool.h>
#include <stdint.h>

enum release_status {
    RELEASE_GOOD,
    RELEASE_WRONG,   /* a rule file is damaged, or not the one that its name says */
    RELEASE_UNKNOWN, /* there is no such release */
    RELEASE_MACHINE  /* the system refused something */
};

enum release_access {
    RELEASE_READ,   /* nothing is changed and nothing is locked */
    RELEASE_WRITE,  /* the folder is there; waits for its lock */
    RELEASE_CREATE  /* makes what is missing; waits for the lock */
};

struct release {
    char id[RULESET_ID_SIZE + 1];
    uint64_t size;                  /* bytes */
    const struct release_line *line;/* the last change that made it current; NULL: the history does not know it */
    bool is_current, is_previous;   /* previous: where a roll-back without an id goes */
};

struct release_store {
    struct arena *arena;
    const char *path, *releases_path, *current_path, *history_path;
    int history_file;               /* -1: not open */
    struct release_history history;
    enum release_current { RELEASE_NO_CURRENT, RELEASE_CURRENT_GOOD, RELEASE_CURRENT_BAD } current_is;
    char current_id[RULESET_ID_SIZE + 1]; /* where it is good */
    uint64_t current_rules;
    const char *reason;             /* of the last call that was not good, with the path it is about */
};

/* release_store_close is due in every case. */
enum release_status release_store_open(const char *path, enum release_access access, struct release_store *store);
void release_store_close(struct release_store *store);

/* The releases there are, the last deployed first. They live as long as the store. */
enum release_status release_store_list(struct release_store *store, struct release **releases, size_t *count);

/* The one release whose id starts so; `id` NULL: the previous one. On RELEASE_UNKNOWN `reason` lists what there is. */
enum release_status release_store_find(struct release_store *store, const char *id,
                                       char found[RULESET_ID_SIZE + 1]);

/* Keeps the rule file as release `id`; nothing is written where a good one is there. */
enum release_status release_store_put(struct release_store *store, const char *id, const void *bytes, size_t size);

/* Makes a kept release current, after walking each of its records. `action` stands in the history. Where the history
 * cannot be written, nothing changes, unless `must_record` is false: then it happens all the same and *recorded says
 * so. *rules: what the release holds. */
enum release_status release_store_flip(struct release_store *store, const char *id, const char *action,
                                       bool must_record, bool *recorded, uint64_t *rules);

#endif
