/* SPDX-License-Identifier: Apache-2.0 */
/* Linux has such files (memfd_create(2)) and seals for them, POSIX has neither: elsewhere there is none to give, and
 * callers do without. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "mod_redir307/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(MFD_ALLOW_SEALING) && defined(F_ADD_SEALS)

/* Linux 6.3 and up wants to be told that no program is meant; older ones know no such flag. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum { STEP_SIZE = 16 * 1024 };

int memory_file_create(void)
{
    static const char name[] = "redir307"; /* as /proc shows it */
    int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (made < 0 && errno == EINVAL) made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return made;
}

/* By write(), for a store into a mapping has no way to say that there is no memory left. */
static bool write_all(int to, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(to, bytes, size);

        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static bool copy_all(int from, int to, uint64_t size)
{
    char bytes[STEP_SIZE];
    uint64_t at = 0;

    while (at < size) {
        ssize_t got = pread(from, bytes, size - at < sizeof bytes ? (size_t)(size - at) : sizeof bytes, (off_t)at);

        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || !write_all(to, bytes, (size_t)got)) return false;
        at += (uint64_t)got;
    }
    return true;
}

int memory_file_copy(int file, uint64_t size)
{
    int made = memory_file_create();

    if (made < 0) return -1;
    if (!copy_all(file, made, size)
        || fcntl(made, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        close(made);
        return -1;
    }
    return made;
}

bool memory_file_is_sealed(int file)
{
    const int wanted = F_SEAL_WRITE | F_SEAL_SHRINK;
    int seals = fcntl(file, F_GET_SEALS);

    return seals >= 0 && (seals & wanted) == wanted;
}

#else

int memory_file_create(void)
{
    errno = ENOSYS;
    return -1;
}

int memory_file_copy(int file, uint64_t size)
{
    (void)file;
    (void)size;
    return memory_file_create();
}

bool memory_file_is_sealed(int file)
{
    (void)file;
    return false;
}

#endif
