/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a fuzz target writes for rulec to read: a scratch folder that the process stands in, taken away at its end. */
#ifndef T_FUZZ_FILES_H
#define T_FUZZ_FILES_H

#include "t/fuzz/target.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Files that may lie there. */
static const char *const files_names[] = { "a.redir", "b.redir", "t.csv", "t.tsv", "t.csv.gz" };
enum { FILES_COUNT = sizeof(files_names) / sizeof(files_names[0]) };
static char files_folder[512];

static inline void files_forget(void)
{
    for (unsigned i = 0; i < FILES_COUNT; i++) unlink(files_names[i]);
}

static inline void files_close(void)
{
    files_forget();
    if (chdir("/") == 0) rmdir(files_folder);
}

static inline bool files_open(void)
{
    const char *root = getenv("TMPDIR");

    snprintf(files_folder, sizeof(files_folder), "%s/redir307-fuzz-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(files_folder) || chdir(files_folder) != 0) return false;
    atexit(files_close);
    return true;
}

static inline void files_write(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");

    fuzz_claim(file && fwrite(bytes, 1, size, file) == size, "a scratch file is written");
    fclose(file);
}

#endif
