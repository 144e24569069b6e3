/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to a ruleset: what is no regular file is refused without blocking, a file that changes is seen, one that is
 * replaced stays mapped. */
#include "config.h"

#include "mod_redir307/ruleset_map.h"
#include "t/lib/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rules rules;
static char folder[] = "/tmp/redir307-map-XXXXXX";
static char path[64], other[64];

static bool write_file(const char *name, const void *bytes, size_t size)
{
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    bool is_written = file >= 0 && write(file, bytes, size) == (ssize_t)size;

    if (file >= 0) close(file);
    return is_written;
}

static bool answers_a(const struct ruleset *ruleset)
{
    static struct answer_scratch scratch;
    const struct request_key key = { .method = SLICE("GET"), .scheme = SLICE("http"), .port = 80, .path = SLICE("/a") };
    struct answer answer;

    answer_request(ruleset, &key, &scratch, NULL, &answer);
    return answer.outcome == ANSWER_SEND && slice_equal(answer.location, SLICE("/b"));
}

static void both_ways_open(void)
{
    static const enum ruleset_map_how hows[] = { RULESET_MAP_SHARED_PAGES, RULESET_MAP_COPY };
    char reason[RULESET_REASON_SIZE];

    for (size_t i = 0; i < 2; i++) {
        struct ruleset_map map = { .size = 0 };
        struct ruleset_identity now;

        write_file(path, rules.file.bytes, rules.file.size);
        if (!ok(ruleset_map_open(path, hows[i], &map, reason), i ? "copied" : "mapped")) continue;
        ok(answers_a(map.ruleset), "it answers");
        is_number(map.size, rules.file.size, "its size");
        is_number(map.owner, geteuid(), "its owner");
        ok(S_ISREG(map.mode) && (map.mode & 07777) == 0644, "its mode");
        ok(ruleset_identity_of(path, &now) == 0 && ruleset_identity_equal(&now, &map.identity), "its identity");

        /* What is renamed over it is another file; the old one stays where it is mapped. */
        write_file(other, rules.file.bytes, rules.file.size);
        rename(other, path);
        ok(ruleset_identity_of(path, &now) == 0 && !ruleset_identity_equal(&now, &map.identity), "another identity");
        ok(answers_a(map.ruleset), "the old one answers on");
        unlink(path);
        ok(answers_a(map.ruleset), "also when its name is gone");
        ok(ruleset_identity_of(path, &now) == ENOENT, "which is seen");
        ruleset_map_close(&map);
        ok(map.ruleset == NULL, "closed");
        ruleset_map_close(&map);
    }
}

/* Verified in place: the same answers, and the same refusals. */
static void two_steps_are_one(void)
{
    static const enum ruleset_map_how hows[] = { RULESET_MAP_SHARED_PAGES, RULESET_MAP_COPY };
    char reason[RULESET_REASON_SIZE] = "", first_reason[RULESET_REASON_SIZE] = "";
    uint8_t *bytes = rules.file.bytes;

    for (size_t i = 0; i < 2; i++) {
        struct ruleset_map map = { .ruleset = NULL }, first = { .ruleset = NULL };

        write_file(path, rules.file.bytes, rules.file.size);
        if (!ok(ruleset_map_begin(path, hows[i], &map, reason), i ? "copied" : "mapped")) continue;
        ok(!map.ruleset && map.bytes && map.size == rules.file.size, "without rules yet");
        ok(ruleset_map_finish(&map, reason) && answers_a(map.ruleset), "verified, it answers");
        ruleset_map_close(&map);
        ok(!map.ruleset && !map.bytes, "closed");

        for (size_t at = 0; at < rules.file.size; at += rules.file.size / 7) {
            bytes[at] ^= 1;
            write_file(path, bytes, rules.file.size);
            bytes[at] ^= 1;
            bool is_good = ruleset_map_begin(path, hows[i], &map, reason) && ruleset_map_finish(&map, reason);
            bool is_good_at_once = ruleset_map_open(path, hows[i], &first, first_reason);
            if (!ok(is_good == is_good_at_once && (is_good || strcmp(reason, first_reason) == 0), "a bit turned over")) {
                printf("#   byte %zu: \"%s\", and at once \"%s\"\n", at, reason, first_reason);
            }
            ruleset_map_close(&map);
            ruleset_map_close(&first);
        }
    }
}

static void a_copy_outlives_all_damage(void)
{
    char reason[RULESET_REASON_SIZE];
    struct ruleset_map map;

    write_file(path, rules.file.bytes, rules.file.size);
    if (!ok(ruleset_map_open(path, RULESET_MAP_COPY, &map, reason), "copied")) return;
    ok(truncate(path, 0) == 0 && answers_a(map.ruleset), "cut off to nothing, it answers on");
    ruleset_map_close(&map);
}

/* What one process opened another one maps by its descriptor, whatever became of the name. */
static void a_descriptor_is_enough(void)
{
    static const enum ruleset_map_how hows[] = { RULESET_MAP_SHARED_PAGES, RULESET_MAP_COPY };
    char reason[RULESET_REASON_SIZE];

    for (size_t i = 0; i < 2; i++) {
        struct ruleset_map map = { .size = 0 }, taken = { .size = 0 };
        int file = -1;

        unlink(path);
        write_file(path, rules.file.bytes, rules.file.size);
        if (!ok(ruleset_map_begin_file(path, hows[i], &map, &file, reason), i ? "copied" : "mapped")) continue;
        ok(ruleset_map_finish(&map, reason), "and good");
        unlink(path);
        ok(answers_a(map.ruleset), "it answers");
        if (file < 0) continue; /* a copy, on a system without files in memory */
        ok(i ? write(file, "x", 1) < 0 : 1, "nobody writes into a copy");
        ok(i ? ftruncate(file, 1) < 0 : 1, "or cuts it short");
        for (size_t j = 0; j < 2; j++) {
            if (!ok(ruleset_map_begin_taken(file, hows[j], &taken) == RULESET_OK, j ? "taken as a copy" : "taken")) continue;
            ok(ruleset_map_finish(&taken, reason) && answers_a(taken.ruleset), "it answers, too");
            ruleset_map_close(&taken);
        }
        ruleset_map_close(&map);
        close(file);
    }
}

static void a_descriptor_of_damaged_rules_is_refused(void)
{
    char reason[RULESET_REASON_SIZE];
    struct ruleset_map map = { .size = 0 }, taken = { .size = 0 };
    int file = -1;

    unlink(path);
    write_file(path, rules.file.bytes, rules.file.size);
    if (!ok(ruleset_map_begin_file(path, RULESET_MAP_SHARED_PAGES, &map, &file, reason), "mapped")) return;
    ruleset_map_close(&map);
    ok(truncate(path, 5000) == 0 && ruleset_map_begin_taken(file, RULESET_MAP_SHARED_PAGES, &taken) == RULESET_TRUNCATED, "cut short");
    ok(truncate(path, 0) == 0 && ruleset_map_begin_taken(file, RULESET_MAP_COPY, &taken) == RULESET_EMPTY, "cut to nothing");
    ok(taken.bytes == NULL, "nothing is taken");
    close(file);
    file = open(folder, O_RDONLY);
    ok(ruleset_map_begin_taken(file, RULESET_MAP_SHARED_PAGES, &taken) == RULESET_FOREIGN, "nor is a folder");
    close(file);
    write_file(path, "bad", 3);
    ok(!ruleset_map_begin_file(path, RULESET_MAP_COPY, &map, &file, reason), "a bad file has no descriptor to hand on");
}

static void is_refused(const char *name, const char *part)
{
    struct ruleset_map map = { .ruleset = NULL };
    char reason[RULESET_REASON_SIZE] = "";

    if (!ok(!ruleset_map_open(path, RULESET_MAP_SHARED_PAGES, &map, reason), name)) {
        ruleset_map_close(&map);
        return;
    }
    if (!ok(strstr(reason, part) != NULL, "and the reason is said")) printf("#   %s\n", reason);
    ok(map.ruleset == NULL && strlen(reason) < RULESET_REASON_SIZE && !strstr(reason, folder), "without the path");
    ok(!ruleset_map_open(path, RULESET_MAP_COPY, &map, reason) && strstr(reason, part), "as a copy, too");
}

static void what_is_no_rule_file_is_refused(void)
{
    unlink(path);
    is_refused("nothing there", "rulec compile");
    mkdir(path, 0755);
    is_refused("a folder", "is a directory");
    rmdir(path);
    if (mkfifo(path, 0644) == 0) is_refused("a FIFO, without waiting for somebody to write", "is a FIFO");
    unlink(path);
    ok(symlink("/dev/zero", path) == 0, "a link to a device");
    is_refused("a device without an end", "is a device");
    unlink(path);
    ok(symlink(path, path) == 0, "a link to itself");
    is_refused("a link to itself", "");
    unlink(path);

    write_file(path, "", 0);
    is_refused("an empty file", "empty");
    write_file(path, rules.file.bytes, rules.file.size - 1);
    is_refused("a byte less", "cut off");
    write_file(path, rules.file.bytes, rules.file.size);
    ok(truncate(path, (off_t)rules.file.size + 1) == 0, "a byte more");
    is_refused("a byte more", "longer");
    write_file(path, "/a -> /b\n", 9);
    is_refused("a rules source", "no rule file");
    unlink(path);
    if (geteuid() != 0) {
        write_file(path, rules.file.bytes, rules.file.size);
        chmod(path, 0);
        is_refused("a file that nobody may read", "must be able to read");
        unlink(path);
    }
}

/* The first page tells, so nobody maps or copies what lies behind it. */
static void size_alone_costs_nothing(void)
{
    enum { LIMIT = 256 << 20 };
    struct rlimit before;

    if (!ok(getrlimit(RLIMIT_AS, &before) == 0, "how much memory there may be")) return;
    write_file(path, rules.file.bytes, rules.file.size);
    ok(truncate(path, (off_t)1 << 31) == 0, "a rule file with two GiB of nothing behind it");
#if !defined(__SANITIZE_ADDRESS__) /* which needs terabytes of addresses itself */
    ok(setrlimit(RLIMIT_AS, &(struct rlimit){ .rlim_cur = LIMIT, .rlim_max = before.rlim_max }) == 0,
       "and memory for an eighth of it");
#endif
    is_refused("both ways", "longer");
    unlink(path);
    ok(write_file(path, "", 0) && truncate(path, (off_t)1 << 31) == 0, "a file full of holes");
    is_refused("is none", "no rule file");
    setrlimit(RLIMIT_AS, &before);
    unlink(path);
}

static void links_are_followed(void)
{
    char reason[RULESET_REASON_SIZE];
    struct ruleset_map map;
    struct ruleset_identity before, now;

    write_file(other, rules.file.bytes, rules.file.size);
    if (!ok(symlink(other, path) == 0 && ruleset_identity_of(path, &before) == 0, "a link to a rule file")) return;
    if (ok(ruleset_map_open(path, RULESET_MAP_SHARED_PAGES, &map, reason), "opens")) {
        ok(ruleset_identity_equal(&before, &map.identity), "its identity is the file's");
        ruleset_map_close(&map);
    }
    unlink(path);
    write_file(path, rules.file.bytes, rules.file.size);
    ok(ruleset_identity_of(path, &now) == 0 && !ruleset_identity_equal(&before, &now), "a twin beside it is another");
}

/* Any difference counts: an older file is another file. */
static void identities_differ_in_anything(void)
{
    const struct ruleset_identity a = { 1, 2, 3, 4, 5, 6, 7 };

    for (unsigned i = 0; i < 7; i++) {
        struct ruleset_identity b = a;

        switch (i) {
        case 0: b.device++; break;
        case 1: b.inode++; break;
        case 2: b.size++; break;
        case 3: b.modified_s--; break;
        case 4: b.modified_ns--; break;
        case 5: b.changed_s--; break;
        default: b.changed_ns--; break;
        }
        ok(!ruleset_identity_equal(&a, &b), "one part differs");
    }
    ok(ruleset_identity_equal(&a, &a), "and is itself");
}

int main(void)
{
    if (!mkdtemp(folder) || !rules_open(&rules, "/a -> /b\n")) return tap_done() | 1;
    snprintf(path, sizeof(path), "%s/rules.r307", folder);
    snprintf(other, sizeof(other), "%s/other.r307", folder);
    both_ways_open();
    two_steps_are_one();
    a_copy_outlives_all_damage();
    a_descriptor_is_enough();
    a_descriptor_of_damaged_rules_is_refused();
    what_is_no_rule_file_is_refused();
    size_alone_costs_nothing();
    links_are_followed();
    identities_differ_in_anything();
    unlink(path);
    unlink(other);
    ok(rmdir(folder) == 0, "nothing is left behind");
    rules_close(&rules);
    return tap_done();
}
