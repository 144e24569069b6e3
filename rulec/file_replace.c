/* SPDX-License-Identifier: Apache-2.0 */
/* The only place that writes over a file: a temporary file in the same folder, synced, renamed,
 * the folder synced. Where the system can, the temporary file has no name until it is whole, so
 * that whoever is killed leaves nothing behind. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "config.h"

#include "rulec/file_replace.h"

#include "grammar/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int file, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t done = write(file, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        at += done;
        size -= (size_t)done;
    }
    return true;
}

/* The folder that a path lies in; malloc'ed, NULL without memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool sync_folder(const char *path)
{
    char *folder = folder_of(path);
    int file = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool done = file >= 0 && (fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP);

    if (file >= 0)
        close(file);
    free(folder);
    return done;
}

/* A file must be replaced, and nothing else that may stand there. */
static const char *check_place(const char *path)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))
        return NULL;
    return S_ISDIR(status.st_mode) ? "it is a directory"
                                   : "something that is no file stands there";
}

struct file_replacement {
    const char *path;
    const void *bytes;
    size_t size;
    mode_t mode;
    char *temporary; /* its name */
    size_t name_room;
    int file;      /* -1: not yet open */
    bool is_named; /* `temporary` is there */
    int error;     /* errno of what failed */
    bool has_thread;
    pthread_t thread;
};

static bool fill(struct file_replacement *replacement)
{
    return write_all(replacement->file, replacement->bytes, replacement->size) &&
           fchmod(replacement->file, replacement->mode) == 0 && fsync(replacement->file) == 0;
}

static bool open_named(struct file_replacement *replacement)
{
    snprintf(replacement->temporary, replacement->name_room, "%s.tmp-XXXXXX", replacement->path);
    replacement->file = mkstemp(replacement->temporary);
    replacement->is_named = replacement->file >= 0;
    return replacement->is_named;
}

static bool open_nameless(struct file_replacement *replacement)
{
#ifdef O_TMPFILE
    char *folder = folder_of(replacement->path);

    if (folder)
        replacement->file = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    free(folder);
#endif
    return replacement->file >= 0;
}

/* All that takes time. */
static void *write_temporary(void *memory)
{
    struct file_replacement *replacement = memory;

    if (!(open_nameless(replacement) || open_named(replacement)) || !fill(replacement))
        replacement->error = errno;
    return NULL;
}

/* A file that got no name is written again, under one. */
static bool give_name(struct file_replacement *replacement)
{
    enum { TRIES = 100 };
    char link[64];

    if (replacement->is_named)
        return true;
    snprintf(link, sizeof link, "/proc/self/fd/%d", replacement->file);
    for (unsigned i = 0; i < TRIES; i++) {
        snprintf(replacement->temporary, replacement->name_room, "%s.tmp-%ld-%u", replacement->path, (long)getpid(), i);
        replacement->is_named = linkat(AT_FDCWD, link, AT_FDCWD, replacement->temporary, AT_SYMLINK_FOLLOW) == 0;
        if (replacement->is_named)
            return true;
        if (errno != EEXIST)
            break;
    }
    close(replacement->file);
    return open_named(replacement) && fill(replacement);
}

static bool put_in_place(struct file_replacement *replacement)
{
    if (replacement->error) {
        errno = replacement->error;
        return false;
    }
    if (!give_name(replacement))
        return false;
    int file = replacement->file;
    replacement->file = -1;
    if (close(file) != 0 || rename(replacement->temporary, replacement->path) != 0)
        return false;
    replacement->is_named = false;
    /* A folder that cannot be synced is no failure: the new file is in place, and only a power cut could still
     * bring the old one back. */
    (void)sync_folder(replacement->path);
    return true;
}

static bool is_standard_output(const struct file_replacement *replacement)
{
    return strcmp(replacement->path, "-") == 0;
}

struct file_replacement *file_replace_begin(const char *path, const void *bytes, size_t size, mode_t mode,
                                            enum file_replace_when when)
{
    struct file_replacement *replacement = memory_resize(NULL, 1, sizeof(*replacement));

    *replacement = (struct file_replacement){
        .path = path, .bytes = bytes, .size = size, .mode = mode, .file = -1, .name_room = strlen(path) + 64
    };
    replacement->temporary = memory_resize(NULL, replacement->name_room, 1);
    if (when == FILE_REPLACE_MEANWHILE && !is_standard_output(replacement) && !check_place(path))
        replacement->has_thread = pthread_create(&replacement->thread, NULL, write_temporary, replacement) == 0;
    return replacement;
}

/* False: there was none. */
static bool join_thread(struct file_replacement *replacement)
{
    bool had_thread = replacement->has_thread;

    if (had_thread)
        pthread_join(replacement->thread, NULL);
    replacement->has_thread = false;
    return had_thread;
}

void file_replace_drop(struct file_replacement *replacement)
{
    if (!replacement)
        return;
    join_thread(replacement);
    if (replacement->file >= 0)
        close(replacement->file);
    if (replacement->is_named)
        unlink(replacement->temporary);
    free(replacement->temporary);
    free(replacement);
}

bool file_replace_end(struct file_replacement *replacement, const char **reason)
{
    bool is_written = join_thread(replacement), done;

    *reason = NULL;
    if (is_standard_output(replacement)) {
        done = write_all(STDOUT_FILENO, replacement->bytes, replacement->size);
    } else {
        *reason = check_place(replacement->path);
        if (!*reason && !is_written)
            write_temporary(replacement);
        done = !*reason && put_in_place(replacement);
    }
    if (!done && !*reason)
        *reason = strerror(errno);
    file_replace_drop(replacement);
    return done;
}

bool file_replace(const char *path, const void *bytes, size_t size, mode_t mode,
                  const char **reason)
{
    return file_replace_end(file_replace_begin(path, bytes, size, mode, FILE_REPLACE_AT_END), reason);
}
