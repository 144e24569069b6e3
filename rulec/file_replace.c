/* SPDX-License-Identifier: Apache-2.0 */
/* The only place that writes over a file: a temporary file in the same folder, synced, renamed,
 * the folder synced. */
#include "config.h"

#include "rulec/file_replace.h"

#include <errno.h>
#include <fcntl.h>
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

bool file_replace(const char *path, const void *bytes, size_t size, mode_t mode,
                  const char **reason)
{
    if (strcmp(path, "-") == 0) {
        bool done = write_all(STDOUT_FILENO, bytes, size);

        if (!done)
            *reason = strerror(errno);
        return done;
    }
    *reason = check_place(path);
    if (*reason)
        return false;

    size_t room = strlen(path) + sizeof ".tmp-XXXXXX";
    char *temporary = malloc(room);
    if (!temporary) {
        *reason = strerror(ENOMEM);
        return false;
    }
    snprintf(temporary, room, "%s.tmp-XXXXXX", path);
    int file = mkstemp(temporary);
    bool done = file >= 0 && write_all(file, bytes, size) && fchmod(file, mode) == 0 &&
                fsync(file) == 0;
    int error = errno;
    if (file >= 0 && close(file) != 0 && done) {
        done = false;
        error = errno;
    }
    if (done && rename(temporary, path) != 0) {
        done = false;
        error = errno;
    }
    if (done && !sync_folder(path)) {
        /* The new file is in place; only a power cut could still bring the old one back. */
        error = errno;
    }
    if (!done) {
        if (file >= 0)
            unlink(temporary);
        *reason = strerror(error);
    }
    free(temporary);
    return done;
}
