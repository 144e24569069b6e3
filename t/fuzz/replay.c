/* SPDX-License-Identifier: Apache-2.0 */
/* The plain driver of a fuzz target: asks it of its seeds and of all cases that were once found, without a fuzzer. Linked
 * with one target; the program's own name (NAME_t) says whose cases they are. */
#include "config.h"

#include "t/fuzz/target.h"
#include "t/lib/tap.h"

#include <dirent.h>
#include <stdlib.h>

enum { CASE_LIMIT = 1 << 20, NAME_LIMIT = 1024 };

/* Memory of exactly its size, so that a sanitizer sees a byte too many. */
static void ask(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (size) memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static bool replay_file(const char *path)
{
    static uint8_t bytes[CASE_LIMIT];
    FILE *file = fopen(path, "rb");

    if (!file) return false;
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    ask(bytes, size);
    /* What is cut off is a case, too. */
    for (size_t cut = 1; cut < 8 && cut < size; cut++) ask(bytes, size * cut / 8);
    return true;
}

static unsigned replay_folder(const char *folder)
{
    DIR *opened = opendir(folder);
    struct dirent *entry;
    unsigned count = 0;

    if (!opened) return 0;
    while ((entry = readdir(opened))) {
        char path[NAME_LIMIT];

        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        /* A case that ends the process would be the last thing said: so it is named before. */
        printf("# %s\n", path);
        fflush(stdout);
        if (replay_file(path)) count++;
    }
    closedir(opened);
    return count;
}

int main(int argc, char **argv)
{
    const char *source_folder = getenv("REDIR307_SRCDIR"), *name = strrchr(argv[0], '/');
    char folder[NAME_LIMIT];

    (void)argc;
    if (!source_folder || !*source_folder) source_folder = FUZZ_SRCDIR;
    name = name ? name + 1 : argv[0];
    if (strncmp(name, "lt-", 3) == 0) name += 3; /* libtool's own name for it */
    int name_size = (int)strlen(name) - 2;

    if (LLVMFuzzerInitialize(&argc, &argv) != 0) return 1;
    ask(NULL, 0);
    snprintf(folder, sizeof(folder), "%s/t/fuzz/seeds/%.*s", source_folder, name_size, name);
    ok(replay_folder(folder) > 0, "all seeds");
    snprintf(folder, sizeof(folder), "%s/t/fuzz/found/%.*s", source_folder, name_size, name);
    unsigned found = replay_folder(folder);
    printf("# %u found cases\n", found);
    ok(true, "all cases that were found");
    return tap_done();
}
