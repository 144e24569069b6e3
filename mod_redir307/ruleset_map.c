/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to mapped, verified bytes. Verification reads the file; the mapping itself is first touched by a
 * lookup, so that a file which shrinks meanwhile is a message here and not a signal. Who is ready for the signal has it
 * verified in place (ruleset_map_begin). */
#include "mod_redir307/ruleset_map.h"

#include "mod_redir307/memory_file.h"
#include "mod_redir307/ruleset_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool ruleset_identity_equal(const struct ruleset_identity *a, const struct ruleset_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size
        && a->modified_s == b->modified_s && a->modified_ns == b->modified_ns
        && a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

static struct ruleset_identity identity_from(const struct stat *status)
{
    return (struct ruleset_identity){
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .size = (uint64_t)status->st_size,
        .modified_s = status->st_mtim.tv_sec,
        .modified_ns = status->st_mtim.tv_nsec,
        .changed_s = status->st_ctim.tv_sec,
        .changed_ns = status->st_ctim.tv_nsec,
    };
}

int ruleset_identity_of(const char *path, struct ruleset_identity *identity)
{
    struct stat status;

    if (stat(path, &status) != 0) return errno;
    *identity = identity_from(&status);
    return 0;
}

static bool file_read(void *baton, uint64_t at, void *buffer, size_t size)
{
    const int *file = baton;
    char *to = buffer;

    while (size > 0) {
        ssize_t got = pread(*file, to, size, (off_t)at);

        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        at += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

static void say(char *reason, const char *what)
{
    snprintf(reason, RULESET_REASON_SIZE, "%s", what);
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode)) return "is a directory";
    if (S_ISFIFO(mode)) return "is a FIFO";
    if (S_ISSOCK(mode)) return "is a socket";
    return "is a device";
}

/* Says what to do where the system says only what it met. */
static void say_errno(char *reason, int error)
{
    const char *help = "";

    if (error == ENOENT) help = "; make it with \"rulec compile\"";
    if (error == EACCES) help = "; the user that httpd runs as must be able to read it and to search its folders";
    snprintf(reason, RULESET_REASON_SIZE, "%s%s", strerror(error), help);
}

static void *anonymous_copy(int file, size_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (bytes == MAP_FAILED) return bytes;
    if (!file_read(&file, 0, bytes, size)) {
        munmap(bytes, size);
        errno = EIO;
        return MAP_FAILED;
    }
    mprotect(bytes, size, PROT_READ);
    return bytes;
}

static bool open_regular(const char *path, int *file, struct stat *status, struct ruleset_map *map, char *reason)
{
    /* O_NONBLOCK: a FIFO in its place must not hold up the server. */
    *file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*file < 0) {
        int error = errno;

        if (stat(path, status) == 0) map->identity = identity_from(status);
        else memset(&map->identity, 0, sizeof map->identity);
        say_errno(reason, error);
        return false;
    }
    if (fstat(*file, status) != 0) {
        say_errno(reason, errno);
        close(*file);
        return false;
    }
    map->identity = identity_from(status);
    if (!S_ISREG(status->st_mode)) {
        snprintf(reason, RULESET_REASON_SIZE, "%s; a rule file made by \"rulec compile\" is wanted here",
                 kind_of(status->st_mode));
        close(*file);
        return false;
    }
    return true;
}

/* Before it is mapped or copied: its size says nothing yet. */
static enum ruleset_status check_first_page(int file, const struct stat *status, char *reason)
{
    const struct ruleset_input input = { .read = file_read, .baton = &file, .size = (uint64_t)status->st_size };
    enum ruleset_status checked = ruleset_check_header(&input);

    if (checked) say(reason, ruleset_strerror(checked));
    return checked;
}

/* All of *map but the ruleset and the identity. */
static enum ruleset_status map_bytes(int file, const struct stat *status, enum ruleset_map_how how,
                                     struct ruleset_map *map, char *reason)
{
    size_t size = (size_t)status->st_size;
    void *bytes = how == RULESET_MAP_COPY ? anonymous_copy(file, size)
                                          : mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);

    if (bytes == MAP_FAILED) {
        enum ruleset_status failed = errno == EIO ? RULESET_TRUNCATED : RULESET_NO_MEMORY;

        say_errno(reason, errno);
        return failed;
    }
    map->ruleset = NULL;
    map->bytes = bytes;
    map->size = size;
    map->mode = (unsigned)status->st_mode;
    map->owner = (unsigned)status->st_uid;
    return RULESET_OK;
}

/* All but the ruleset; the file stays open. */
static bool map_file(const char *path, enum ruleset_map_how how, struct ruleset_map *map, int *file,
                     char reason[RULESET_REASON_SIZE])
{
    struct stat status;

    if (!open_regular(path, file, &status, map, reason)) return false;
    if (check_first_page(*file, &status, reason) || map_bytes(*file, &status, how, map, reason)) {
        close(*file);
        return false;
    }
    return true;
}

bool ruleset_map_begin_file(const char *path, enum ruleset_map_how how, struct ruleset_map *map, int *file,
                            char reason[RULESET_REASON_SIZE])
{
    struct stat status;
    int found, kept;
    bool is_mapped;

    if (how != RULESET_MAP_COPY) return map_file(path, how, map, file, reason);
    if (!open_regular(path, &found, &status, map, reason)) return false;
    if (check_first_page(found, &status, reason)) {
        close(found);
        return false;
    }
    kept = memory_file_copy(found, (uint64_t)status.st_size);
    is_mapped = (kept >= 0 ? map_bytes(kept, &status, RULESET_MAP_SHARED_PAGES, map, reason)
                           : map_bytes(found, &status, how, map, reason)) == RULESET_OK;
    close(found);
    if (is_mapped) *file = kept;
    else if (kept >= 0) close(kept);
    return is_mapped;
}

enum ruleset_status ruleset_map_begin_taken(int file, enum ruleset_map_how how, struct ruleset_map *map)
{
    char reason[RULESET_REASON_SIZE];
    enum ruleset_status checked;
    struct stat status;

    if (fstat(file, &status) != 0) return RULESET_NO_MEMORY;
    if (!S_ISREG(status.st_mode)) return RULESET_FOREIGN;
    checked = check_first_page(file, &status, reason);
    if (checked) return checked;
    map->identity = identity_from(&status);
    /* What nobody can change needs no copy. */
    return map_bytes(file, &status, memory_file_is_sealed(file) ? RULESET_MAP_SHARED_PAGES : how, map, reason);
}

bool ruleset_map_begin(const char *path, enum ruleset_map_how how, struct ruleset_map *map,
                       char reason[RULESET_REASON_SIZE])
{
    int file;

    if (!map_file(path, how, map, &file, reason)) return false;
    close(file);
    return true;
}

bool ruleset_map_finish(struct ruleset_map *map, char reason[RULESET_REASON_SIZE])
{
    enum ruleset_status opened = ruleset_open(map->bytes, map->size, &map->ruleset);

    if (opened) say(reason, ruleset_strerror(opened));
    return !opened;
}

bool ruleset_map_open(const char *path, enum ruleset_map_how how, struct ruleset_map *map,
                      char reason[RULESET_REASON_SIZE])
{
    int file;

    if (!map_file(path, how, map, &file, reason)) return false;

    const struct ruleset_input input = { .read = file_read, .baton = &file, .size = map->size };
    /* A copy is what will answer, so the copy is what must be verified. */
    enum ruleset_status opened = how == RULESET_MAP_COPY ? ruleset_open(map->bytes, map->size, &map->ruleset)
                                                         : ruleset_open_input(&input, map->bytes, &map->ruleset);
    close(file);
    if (opened) {
        say(reason, ruleset_strerror(opened));
        ruleset_map_close(map);
    }
    return !opened;
}

void ruleset_map_close(struct ruleset_map *map)
{
    if (!map->bytes) return;
    ruleset_close(map->ruleset);
    /* The mapping was made writable by nobody but is not ours to change: the cast drops only the const we added. */
    munmap((void *)(uintptr_t)map->bytes, map->size);
    map->ruleset = NULL;
    map->bytes = NULL;
}
