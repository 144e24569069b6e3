/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to a folder of releases. All of them are made under the lock, beside what is there, synced, and renamed: a
 * crash or a full disk at any point leaves current.r307 as it was or as it shall be. */
#include "config.h"

#include "rulec/release_store.h"

#include "mod_redir307/ruleset_map.h"
#include "rulec/file_replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum release_status fail(struct release_store *store, enum release_status status, const char *path,
                                const char *why)
{
    store->reason = arena_printf(store->arena, "%s: %s", path, why);
    return status;
}

static enum release_status fail_errno(struct release_store *store, const char *path)
{
    return fail(store, RELEASE_MACHINE, path, strerror(errno));
}

static bool sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_good = folder >= 0 && fsync(folder) == 0;
    int error = errno;

    if (folder >= 0)
        close(folder);
    errno = error;
    return is_good;
}

/* The folder that holds `path`. */
static const char *parent_of(struct arena *arena, const char *path)
{
    size_t size = strlen(path);

    while (size > 1 && path[size - 1] == '/')
        size--;
    while (size && path[size - 1] != '/')
        size--;
    return size ? arena_string(arena, slice_of(path, size)) : ".";
}

static bool make_folder(struct release_store *store, const char *path)
{
    if (mkdir(path, 0777) == 0)
        return sync_folder(parent_of(store->arena, path));
    return errno == EEXIST;
}

static enum release_status read_history(struct release_store *store)
{
    struct stat status;
    char *text;
    size_t size = 0;

    if (fstat(store->history_file, &status) != 0)
        return fail_errno(store, store->history_path);
    text = arena_alloc(store->arena, (size_t)status.st_size + 1);
    while (size < (size_t)status.st_size) {
        ssize_t got = pread(store->history_file, text + size, (size_t)status.st_size - size, (off_t)size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(store, store->history_path);
        if (got == 0)
            break;
        size += (size_t)got;
    }
    release_history_parse(store->arena, slice_of(text, size), &store->history);
    return RELEASE_GOOD;
}

static enum release_status open_history(struct release_store *store, enum release_access access)
{
    int flags = access == RELEASE_READ ? O_RDONLY : O_RDWR | O_APPEND | O_CREAT;
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    store->history_file = open(store->history_path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
    if (store->history_file < 0 && access == RELEASE_READ && errno == ENOENT)
        return RELEASE_GOOD; /* what is deployed can be listed without it */
    if (store->history_file < 0)
        return fail_errno(store, store->history_path);
    while (access != RELEASE_READ && fcntl(store->history_file, F_SETLKW, &lock) != 0)
        if (errno != EINTR)
            return fail_errno(store, store->history_path);
    return read_history(store);
}

static void read_current(struct release_store *store)
{
    char reason[RULESET_REASON_SIZE];
    struct ruleset_counts counts;
    struct ruleset_map map;
    struct stat status;

    if (lstat(store->current_path, &status) != 0 && errno == ENOENT) {
        store->current_is = RELEASE_NO_CURRENT;
    } else if (!ruleset_map_open(store->current_path, RULESET_MAP_SHARED_PAGES, &map, reason)) {
        store->current_is = RELEASE_CURRENT_BAD;
        store->reason = arena_printf(store->arena, "%s: %s", store->current_path, reason);
    } else {
        ruleset_counts(map.ruleset, &counts);
        ruleset_id(map.ruleset, store->current_id);
        store->current_rules = counts.rules;
        store->current_is = RELEASE_CURRENT_GOOD;
        ruleset_map_close(&map);
    }
}

enum release_status release_store_open(const char *path, enum release_access access, struct release_store *store)
{
    struct arena *arena = arena_open();
    enum release_status opened;
    struct stat status;

    *store = (struct release_store){
        .arena = arena,
        .path = path,
        .releases_path = arena_printf(arena, "%s/releases", path),
        .current_path = arena_printf(arena, "%s/current.r307", path),
        .history_path = arena_printf(arena, "%s/history", path),
        .history_file = -1,
        .history = { .ends_in_line_end = true },
    };
    if (access == RELEASE_CREATE && !make_folder(store, path))
        return fail_errno(store, path);
    if (stat(path, &status) != 0)
        return fail_errno(store, path);
    if (!S_ISDIR(status.st_mode))
        return fail(store, RELEASE_MACHINE, path, "is no folder");
    if (access == RELEASE_CREATE && !make_folder(store, store->releases_path))
        return fail_errno(store, store->releases_path);
    if (access == RELEASE_WRITE && stat(store->releases_path, &status) != 0)
        return fail(store, RELEASE_UNKNOWN, path, "nothing was deployed here");
    opened = open_history(store, access);
    if (opened != RELEASE_GOOD)
        return opened;
    read_current(store);
    return RELEASE_GOOD;
}

void release_store_close(struct release_store *store)
{
    if (store->history_file >= 0)
        close(store->history_file); /* and its lock goes */
    store->history_file = -1;
    arena_close(store->arena);
    store->arena = NULL;
}

static const char *release_path(struct release_store *store, const char *id)
{
    return arena_printf(store->arena, "%s/%s.r307", store->releases_path, id);
}

/* Last deployed first; those that the history does not know by their id behind them. */
static int compare_releases(const void *a, const void *b)
{
    const struct release *left = a, *right = b;

    if (left->line != right->line) {
        if (!left->line || !right->line)
            return left->line ? -1 : 1;
        return left->line > right->line ? -1 : 1; /* both in one array, in the order of time */
    }
    return strcmp(left->id, right->id);
}

static void describe(struct release_store *store, struct release *release, const char *previous)
{
    struct stat status;

    if (stat(release_path(store, release->id), &status) == 0)
        release->size = (uint64_t)status.st_size;
    release->line = release_history_find(&store->history, release->id);
    release->is_current = store->current_is == RELEASE_CURRENT_GOOD && strcmp(release->id, store->current_id) == 0;
    release->is_previous = previous && strcmp(release->id, previous) == 0;
}

static const char *previous_id(struct release_store *store)
{
    return release_history_previous(store->arena, &store->history,
                                    store->current_is == RELEASE_CURRENT_GOOD ? store->current_id : "");
}

enum release_status release_store_list(struct release_store *store, struct release **releases, size_t *count)
{
    DIR *folder = opendir(store->releases_path);
    const char *previous = previous_id(store);
    struct release *list = NULL;
    size_t room = 0, found = 0;
    struct dirent *entry;

    *releases = NULL;
    *count = 0;
    if (!folder && errno == ENOENT)
        return RELEASE_GOOD;
    if (!folder)
        return fail_errno(store, store->releases_path);
    while ((entry = readdir(folder))) {
        struct slice name = slice_from_string(entry->d_name);

        if (name.size != RULESET_ID_SIZE + 5 || strcmp(entry->d_name + RULESET_ID_SIZE, ".r307") != 0 ||
            !release_id_is_valid(slice_of(name.data, RULESET_ID_SIZE)))
            continue;
        if (found == room) {
            room = room ? 2 * room : 16;
            list = memory_resize(list, room, sizeof *list);
        }
        list[found] = (struct release){ .size = 0 };
        memcpy(list[found].id, name.data, RULESET_ID_SIZE);
        found++;
    }
    closedir(folder);
    for (size_t i = 0; i < found; i++)
        describe(store, &list[i], previous);
    if (found) {
        qsort(list, found, sizeof *list, compare_releases);
        *releases = arena_array(store->arena, found, sizeof *list);
        memcpy(*releases, list, found * sizeof *list);
    }
    *count = found;
    free(list);
    return RELEASE_GOOD;
}

enum release_status release_store_find(struct release_store *store, const char *id, char found[RULESET_ID_SIZE + 1])
{
    const char *previous = previous_id(store), *match = NULL, *known = "";
    struct release *releases;
    size_t count;
    enum release_status status = release_store_list(store, &releases, &count);
    size_t match_count = 0;

    if (status != RELEASE_GOOD)
        return status;
    if (!id && !previous)
        return fail(store, RELEASE_UNKNOWN, store->path, "there is no release before the current one");
    if (!id)
        id = previous;
    for (size_t i = 0; i < count; i++) {
        bool matches = *id && strncmp(releases[i].id, id, strlen(id)) == 0;

        known = arena_printf(store->arena, "%s\n  %s%s", known, releases[i].id, matches ? " (starts so)" : "");
        match = matches ? releases[i].id : match;
        match_count += matches;
    }
    if (match_count != 1) {
        store->reason = arena_printf(store->arena, "%s: %s with \"%s\"; there are:%s", store->path,
                                     match_count ? "more than one release starts" : "no release starts", id, known);
        return RELEASE_UNKNOWN;
    }
    memcpy(found, match, RULESET_ID_SIZE + 1);
    return RELEASE_GOOD;
}

/* Opens a kept release, walks all of it, and compares its id with its name. The map is the caller's on RELEASE_GOOD. */
static enum release_status open_release(struct release_store *store, const char *id, struct ruleset_map *map)
{
    const char *path = release_path(store, id), *wrong;
    char reason[RULESET_REASON_SIZE], its_id[RULESET_ID_SIZE + 1];
    uint64_t at;

    if (!ruleset_map_open(path, RULESET_MAP_COPY, map, reason))
        return fail(store, RELEASE_WRONG, path, reason);
    wrong = ruleset_verify(map->ruleset, &at);
    ruleset_id(map->ruleset, its_id);
    if (!wrong && strcmp(its_id, id) == 0)
        return RELEASE_GOOD;
    ruleset_map_close(map);
    return fail(store, RELEASE_WRONG, path, wrong ? wrong : "it is another rule file than its name says");
}

enum release_status release_store_put(struct release_store *store, const char *id, const void *bytes, size_t size)
{
    const char *path = release_path(store, id), *reason;
    struct ruleset_map map;
    struct stat status;

    if (open_release(store, id, &map) == RELEASE_GOOD) {
        ruleset_map_close(&map);
        return RELEASE_GOOD;
    }
    if (!file_replace(path, bytes, size, 0644, &reason))
        return fail(store, RELEASE_MACHINE, path, reason);
    /* Read-only: a `cp` over a file that servers map would change rules under their hands. */
    if (stat(path, &status) != 0 || chmod(path, status.st_mode & 0444) != 0)
        return fail_errno(store, path);
    return RELEASE_GOOD;
}

/* One write at the end of the history, or none: a cut-off one is taken back. *old_size: for taking it back later. */
static bool append_history(struct release_store *store, const char *line, off_t *old_size)
{
    const char *text = arena_printf(store->arena, "%s%s", store->history.ends_in_line_end ? "" : "\n", line);
    size_t size = strlen(text);
    struct stat status;
    ssize_t written;
    int error;

    if (fstat(store->history_file, &status) != 0)
        return false;
    *old_size = status.st_size;
    written = write(store->history_file, text, size);
    error = written < 0 ? errno : ENOSPC;
    if (written == (ssize_t)size) {
        if (fsync(store->history_file) == 0)
            return true;
        error = errno;
    }
    if (written > 0 && ftruncate(store->history_file, *old_size) != 0)
        store->history.ends_in_line_end = false; /* readers leave a cut-off line out */
    errno = error;
    return false;
}

/* Links the release beside current.r307 and renames the link over it. */
static bool replace_current(struct release_store *store, const char *id)
{
    const char *release = release_path(store, id);
    const char *beside = arena_printf(store->arena, "%s/.current.new", store->path);
    const char *relative = arena_printf(store->arena, "releases/%s.r307", id);
    bool is_good;
    int error;

    unlink(beside); /* of a run that was killed: the lock is ours */
    is_good = link(release, beside) == 0;
    /* Refused by the file system, by too many links, or by fs.protected_hardlinks for a file of somebody else. */
    if (!is_good && (errno == EPERM || errno == EMLINK || errno == ENOTSUP || errno == EOPNOTSUPP || errno == ENOSYS ||
                     errno == EACCES))
        is_good = symlink(relative, beside) == 0;
    is_good = is_good && rename(beside, store->current_path) == 0;
    error = errno;
    unlink(beside); /* rename() leaves it where both names already were one file */
    errno = error;
    return is_good && sync_folder(store->path);
}

enum release_status release_store_flip(struct release_store *store, const char *id, const char *action,
                                       bool must_record, bool *recorded, uint64_t *rules)
{
    struct ruleset_counts counts;
    struct ruleset_map map;
    off_t old_size = 0;
    enum release_status status = open_release(store, id, &map);

    if (status != RELEASE_GOOD)
        return status;
    ruleset_counts(map.ruleset, &counts);
    ruleset_map_close(&map);
    *rules = counts.rules;
    *recorded = append_history(store, release_history_line(store->arena, action, id, counts.rules), &old_size);
    if (!*recorded && must_record)
        return fail_errno(store, store->history_path);
    if (replace_current(store, id))
        return RELEASE_GOOD;
    status = fail_errno(store, store->current_path);
    if (*recorded && ftruncate(store->history_file, old_size) != 0)
        store->history.ends_in_line_end = false;
    return status;
}
