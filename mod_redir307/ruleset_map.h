/* SPDX-License-Identifier: Apache-2.0 */
/* A file to a ruleset: opens without blocking (a FIFO or device in its place is refused), maps read-only and
 * private, opens the ruleset over it. Used by the module and by rulec. */
#ifndef MOD_REDIR307_RULESET_MAP_H
#define MOD_REDIR307_RULESET_MAP_H

#include "mod_redir307/ruleset.h"

#include <stdint.h>

/* Which bytes a path led to. Any difference is another file: a roll-back to an older one is seen, too. */
struct ruleset_identity {
    uint64_t device, inode, size;
    int64_t modified_s, modified_ns, changed_s, changed_ns;
};
bool ruleset_identity_equal(const struct ruleset_identity *a, const struct ruleset_identity *b);
/* 0, or the errno of stat(). Follows symbolic links. */
int ruleset_identity_of(const char *path, struct ruleset_identity *identity);

struct ruleset_map {
    struct ruleset *ruleset;
    const void *bytes;
    size_t size;
    struct ruleset_identity identity;
    unsigned mode;               /* st_mode of the file */
    unsigned owner;              /* st_uid */
};

enum { RULESET_REASON_SIZE = 256 };

enum ruleset_map_how {
    RULESET_MAP_SHARED_PAGES, /* mmap: children share the page cache */
    RULESET_MAP_COPY          /* read into anonymous memory: later damage to the file is not seen */
};

/* True: *map is filled. False: `reason` says what is wrong and what to do, without the path; nothing is mapped, and of *map
 * only `identity` counts, set as far as it could be found (all zero: no such file). A file that shrinks while it is verified
 * gives RULESET_TRUNCATED, never a signal: it is verified by pread(), not by touching the mapping. */
bool ruleset_map_open(const char *path, enum ruleset_map_how how, struct ruleset_map *map,
                      char reason[RULESET_REASON_SIZE]);
void ruleset_map_close(struct ruleset_map *map);

/* The same in two steps, for who can live through a SIGBUS at map->bytes: what was mapped is then verified in place,
 * without a copy. First all but map->ruleset; only the header was looked at. */
bool ruleset_map_begin(const char *path, enum ruleset_map_how how, struct ruleset_map *map,
                       char reason[RULESET_REASON_SIZE]);
/* False: the bytes stay mapped until ruleset_map_close. */
bool ruleset_map_finish(struct ruleset_map *map, char reason[RULESET_REASON_SIZE]);

/* As ruleset_map_begin; *file is a descriptor of the bytes that are mapped, for ruleset_map_begin_taken in another
 * process. The caller closes it. -1: of these bytes there is none (a copy, where the system has no files in memory). */
bool ruleset_map_begin_file(const char *path, enum ruleset_map_how how, struct ruleset_map *map, int *file,
                            char reason[RULESET_REASON_SIZE]);
/* As ruleset_map_begin, from such a descriptor; it stays the caller's. RULESET_NO_MEMORY: the machine failed, and nothing
 * is known of the bytes. */
enum ruleset_status ruleset_map_begin_taken(int file, enum ruleset_map_how how, struct ruleset_map *map);

#endif
