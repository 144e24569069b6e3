/* SPDX-License-Identifier: Apache-2.0 */
/* Times the engine's own code over one rule file: the whole decision (answer_request), the lookup of an exact path
 * alone, and in the same run what neither can beat: the hash of the key, that and one random line, that and a random
 * record; and the peers over the same keys (t/bench/peers.h). What is fast enough is not judged here.
 *
 *   lookup [--seconds S] [--cold] [--evict MB] [--cdb KEYS] [--rewritemap KEYS] FILE.r307 [exact:]ROW=REQUESTS...
 *
 * REQUESTS: lines "host path[?query]". Rows after "exact:" are at one host and also get the exact lookup and its limits;
 * the first of them must hold a hit. KEYS: lines "path TAB target". Prints lines "row TAB operation TAB least TAB median
 * TAB passes" in nanoseconds, and index lines read as "row TAB lines TAB mean TAB most TAB requests".
 *
 * Lookups are serial: each waits for the one before, as a request alone on its thread does. Operations take turns over
 * short passes, each pass over other requests, so that a noisy moment or a warm line meets all alike. Under callgrind
 * nothing is timed; each operation leaves a dump named "row/operation" of COUNTED requests. */
#include "config.h"

#include "mod_redir307/answer.h"
#include "mod_redir307/index.h"
#include "mod_redir307/lookup_collect.h"
#include "mod_redir307/regex.h"
#include "mod_redir307/ruleset_map.h"
#include "t/bench/peers.h"

#ifdef HAVE_VALGRIND_CALLGRIND_H
#include <valgrind/callgrind.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PASS_SIZE = 4096, PASS_LIMIT = 100000, COUNTED = 2000, COLD_WARMUP = 2, LINE_LIMIT = 3 * 8192 };

struct request {
    uint64_t at; /* in the row's text: host, path, query, one behind the other */
    uint16_t host_size, path_size, bare_size, query_size;
    bool has_query;
};

struct row {
    const char *name;
    bool is_exact;
    char *text;
    struct request *requests;
    size_t count;
};

struct bench {
    struct ruleset_map map;
    const struct ruleset *rs;
    struct row *row;
    struct request_key key;
    struct lookup lookup; /* stands in the exact phase of the rows' scope */
    bool has_scope;
    struct probe no_probe; /* zeros: everything is looked for by the lookup itself */
    struct answer_scratch *scratch;
    struct peers *peers;
    double seconds;
    unsigned char *evicted;
    size_t evict_size;
};

/* Every operation gives a number made from what it read. */
typedef uint64_t (*operation_run)(struct bench *bench, const struct request *request);

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "lookup: %s: %s\n", what, why);
    exit(3);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);

    if (!memory) fail("memory", "there is not enough");
    return memory;
}

/* Nothing behind starts before all in front is done. */
static inline void wait_for_all(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_lfence();
#elif defined(__aarch64__)
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
#else
    __sync_synchronize();
#endif
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- operations ---- */

static struct slice bare_path(const struct bench *bench, const struct request *request)
{
    return slice_of(bench->row->text + request->at + request->host_size, request->bare_size);
}

static uint64_t run_nothing(struct bench *bench, const struct request *request)
{
    (void)bench;
    return request->at;
}

static uint64_t run_hash(struct bench *bench, const struct request *request)
{
    return hash_path(bare_path(bench, request), bench->rs->header.seed, bench->lookup.scope);
}

static uint64_t run_line(struct bench *bench, const struct request *request)
{
    const struct ruleset_view *index = &bench->rs->views[RULESET_EXACT_INDEX];
    uint64_t word;

    memcpy(&word, index->bytes + hash_home(run_hash(bench, request), index->count) * RULESET_LINE_SIZE, sizeof word);
    return word;
}

/* Some record that the line names: its head, and the end of a key as long as the request's. */
static uint64_t run_record(struct bench *bench, const struct request *request)
{
    const struct ruleset_view *index = &bench->rs->views[RULESET_EXACT_INDEX];
    const struct ruleset_view *records = &bench->rs->views[RULESET_EXACT];
    uint64_t key = run_hash(bench, request), head, end;
    const uint8_t *line = index->bytes + hash_home(key, index->count) * RULESET_LINE_SIZE;
    uint32_t reference;

    memcpy(&reference, line + offsetof(struct ruleset_line, reference) + 4 * (key & 7), sizeof reference);
    uint64_t at = (uint64_t)reference * 4;
    if (at + sizeof(struct ruleset_exact) + request->bare_size + sizeof end > records->size) return at;
    memcpy(&head, records->bytes + at, sizeof head);
    memcpy(&end, records->bytes + at + sizeof(struct ruleset_exact) + request->bare_size, sizeof end);
    return head + end;
}

static uint64_t run_exact(struct bench *bench, const struct request *request)
{
    struct lookup *lookup = &bench->lookup;

    lookup->bare = bare_path(bench, request);
    lookup->path = slice_of(lookup->bare.data, request->path_size);
    lookup->has_slash = request->path_size != request->bare_size;
    lookup->folded_is_done = false;
    lookup->found_count = lookup->found_next = 0;
    lookup_collect_exact(lookup);
    return lookup->found_count ? lookup->found[0].at : 1;
}

static void set_key(struct bench *bench, const struct request *request)
{
    const char *text = bench->row->text + request->at;
    struct request_key *key = &bench->key;

    key->host = slice_of(text, request->host_size);
    key->path = slice_of(text + request->host_size, request->path_size);
    key->has_query = request->has_query;
    key->query = slice_of(text + request->host_size + request->path_size, request->query_size);
}

static uint64_t run_answer(struct bench *bench, const struct request *request)
{
    struct answer answer;

    set_key(bench, request);
    answer_request(bench->rs, &bench->key, bench->scratch, NULL, &answer);
    return answer.outcome + answer.location.size;
}

static uint64_t run_cdb(struct bench *bench, const struct request *request)
{
    return peers_ask_cdb(bench->peers, bare_path(bench, request));
}

static uint64_t run_dbm(struct bench *bench, const struct request *request)
{
    return peers_ask_dbm(bench->peers, bare_path(bench, request));
}

static uint64_t run_cache(struct bench *bench, const struct request *request)
{
    return peers_ask_cache(bench->peers, bare_path(bench, request));
}

static const struct operation {
    const char *name;
    operation_run run;
    bool is_exact;
    bool (*is_there)(const struct peers *peers); /* of a peer; NULL: our own */
} operations[] = {
    { "nothing", run_nothing, false, NULL },
    { "hash", run_hash, true, NULL },
    { "line", run_line, true, NULL },
    { "record", run_record, true, NULL },
    { "exact", run_exact, true, NULL },
    { "answer", run_answer, false, NULL },
    { "cdb", run_cdb, true, peers_have_cdb },
    { "dbm", run_dbm, true, peers_have_dbm },
    { "cache", run_cache, true, peers_have_dbm },
};
enum { OPERATION_COUNT = sizeof operations / sizeof operations[0] };

static bool is_asked(const struct bench *bench, const struct operation *operation)
{
    if (operation->is_there && !operation->is_there(bench->peers)) return false;
    return !operation->is_exact || (bench->row->is_exact && bench->has_scope);
}

/* ---- what it is asked for ---- */

static struct request read_request(const char *line, size_t size, char *text, uint64_t at)
{
    const char *end = line + size, *blank = memchr(line, ' ', size);

    if (!blank) fail(line, "a request is \"host path\"");
    const char *path = blank + 1, *mark = memchr(path, '?', (size_t)(end - path));
    const char *path_end = mark ? mark : end;
    struct request request = {
        .at = at,
        .host_size = (uint16_t)(blank - line),
        .path_size = (uint16_t)(path_end - path),
        .bare_size = (uint16_t)(path_end - path),
        .has_query = mark != NULL,
        .query_size = (uint16_t)(mark ? end - mark - 1 : 0),
    };
    if (request.path_size > 1 && path[request.path_size - 1] == '/') request.bare_size--;
    memcpy(text + at, line, request.host_size);
    memcpy(text + at + request.host_size, path, request.path_size);
    if (mark) memcpy(text + at + request.host_size + request.path_size, mark + 1, request.query_size);
    return request;
}

static struct row read_row(char *word)
{
    struct row row = { .is_exact = strncmp(word, "exact:", 6) == 0 };
    char *file = strchr(word, '='), line[LINE_LIMIT];
    size_t room = 0;
    uint64_t at = 0;

    if (!file) fail(word, "a row is NAME=REQUESTS");
    *file++ = '\0';
    row.name = row.is_exact ? word + 6 : word;
    FILE *in = fopen(file, "r");
    if (!in || fseek(in, 0, SEEK_END) != 0) fail(file, "it cannot be read");
    row.text = allocate((size_t)ftell(in) + 1, 1);
    rewind(in);
    while (fgets(line, sizeof line, in)) {
        if (row.count == room) {
            room = room ? 2 * room : PASS_SIZE;
            row.requests = realloc(row.requests, room * sizeof row.requests[0]);
            if (!row.requests) fail("memory", "there is not enough");
        }
        row.requests[row.count] = read_request(line, strcspn(line, "\n"), row.text, at);
        at += (uint64_t)row.requests[row.count].host_size + row.requests[row.count].path_size
            + row.requests[row.count].query_size;
        row.count++;
    }
    fclose(in);
    if (row.count == 0) fail(file, "it holds no request");
    return row;
}

/* Stops a whole lookup at its first match: where the exact lookup alone starts from. */
static void find_scope(struct bench *bench)
{
    struct lookup_match match;

    for (size_t i = 0; i < bench->row->count && !bench->has_scope; i++) {
        set_key(bench, &bench->row->requests[i]);
        bench->has_scope = lookup_begin(&bench->lookup, bench->rs, &bench->key, bench->no_probe, bench->scratch)
                        && lookup_next(&bench->lookup, &match) && match.is_exact;
    }
    if (!bench->has_scope) fail(bench->row->name, "no request meets an exact rule");
    bench->lookup.has_last = bench->lookup.has_dropped = false;
}

enum { COOKIE_SIZE = 8190 };
static char cookies[COOKIE_SIZE];

/* The fields that the conditions of t/bench/run ask for: "1", and as much of a Cookie as httpd takes. */
static bool get_header(void *baton, struct slice name, struct slice *value)
{
    (void)baton;
    if (name.size == 6) {
        for (size_t i = 0; !cookies[0] && i < COOKIE_SIZE; i++) cookies[COOKIE_SIZE - 1 - i] = "a=1;"[3 - i % 4];
        *value = slice_of(cookies, COOKIE_SIZE);
        return true;
    }
    *value = SLICE("1");
    return name.size == 3 && (name.data[0] == 'x' || name.data[0] == 'X');
}

/* ---- measuring ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static void print_samples(const struct bench *bench, const struct operation *operation, double *samples, size_t count)
{
    qsort(samples, count, sizeof samples[0], compare_doubles);
    printf("%s\t%s\t%.2f\t%.2f\t%zu\n", bench->row->name, operation->name, samples[0], samples[count / 2], count);
}

static double time_pass(struct bench *bench, operation_run run, size_t first)
{
    const struct row *row = bench->row;
    volatile uint64_t kept;
    uint64_t sum = 0;
    size_t size = row->count < PASS_SIZE ? row->count : PASS_SIZE;
    double start = now_ns();

    for (size_t i = 0; i < size; i++) {
        sum += run(bench, &row->requests[first]);
        if (++first == row->count) first = 0;
        wait_for_all();
    }
    kept = sum;
    (void)kept;
    return (now_ns() - start) / (double)size;
}

static void teach_peers(struct bench *bench)
{
    for (size_t i = 0; i < bench->row->count; i++) peers_learn(bench->peers, bare_path(bench, &bench->row->requests[i]));
}

/* A first round that does not count: pages, branches. */
static void measure_warm(struct bench *bench)
{
    double *samples = allocate((size_t)OPERATION_COUNT * PASS_LIMIT, sizeof samples[0]), end = 0;
    size_t passes = 0, first = 0;

    for (bool counts = false; passes < PASS_LIMIT && (passes < 5 || now_ns() < end); counts = true) {
        if (!counts) end = now_ns() + bench->seconds * 1e9;
        for (size_t i = 0; i < OPERATION_COUNT; i++) {
            if (!is_asked(bench, &operations[i])) continue;
            samples[i * PASS_LIMIT + passes] = time_pass(bench, operations[i].run, first);
            first = (first + PASS_SIZE) % bench->row->count;
        }
        passes += counts;
    }
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if (is_asked(bench, &operations[i])) print_samples(bench, &operations[i], samples + i * PASS_LIMIT, passes);
    }
    free(samples);
}

/* Between two lookups a block larger than the caches is written: what a lookup finds then is its own request, just
 * read, and the clock; neither rules nor code. */
static double time_cold(struct bench *bench, operation_run run, size_t at)
{
    const struct request *request = &bench->row->requests[at % bench->row->count];
    const char *text = bench->row->text + request->at;
    volatile uint64_t kept;
    double start;

    for (size_t i = 0; i < bench->evict_size; i += 64) bench->evicted[i]++;
    uint64_t sum = XXH3_64bits(text, (size_t)request->host_size + request->path_size + request->query_size);
    for (int i = 0; i < 3; i++) start = now_ns();
    wait_for_all();
    start = now_ns();
    sum += run(bench, request);
    wait_for_all();
    double taken = now_ns() - start;
    kept = sum;
    (void)kept;
    return taken;
}

static void measure_cold(struct bench *bench)
{
    double *samples = allocate((size_t)OPERATION_COUNT * PASS_LIMIT, sizeof samples[0]);
    double end = now_ns() + bench->seconds * 1e9;
    size_t passes = 0, at = 0;

    for (int warmup = 0; passes < PASS_LIMIT && (passes < 5 || now_ns() < end); warmup++) {
        for (size_t i = 0; i < OPERATION_COUNT; i++) {
            if (is_asked(bench, &operations[i])) {
                samples[i * PASS_LIMIT + passes] = time_cold(bench, operations[i].run, at++);
            }
        }
        passes += warmup >= COLD_WARMUP;
    }
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if (is_asked(bench, &operations[i])) print_samples(bench, &operations[i], samples + i * PASS_LIMIT, passes);
    }
    free(samples);
}

/* As index_find() does: the home line, and the other one where a key of its kind overflowed. */
static void print_lines(struct bench *bench)
{
    const struct ruleset_view *index = &bench->rs->views[RULESET_EXACT_INDEX];
    uint64_t lines = 0, most = 0;

    for (size_t i = 0; i < bench->row->count; i++) {
        uint64_t key = run_hash(bench, &bench->row->requests[i]);
        uint64_t read = index_line_overflows(index_line(index, hash_home(key, index->count)), key) ? 2 : 1;
        lines += read;
        if (read > most) most = read;
    }
    printf("%s\tlines\t%.4f\t%llu\t%zu\n", bench->row->name, (double)lines / (double)bench->row->count,
           (unsigned long long)most, bench->row->count);
}

#ifdef HAVE_VALGRIND_CALLGRIND_H
static void count_instructions(struct bench *bench)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        char name[256];
        uint64_t sum = 0;
        volatile uint64_t kept;

        if (!is_asked(bench, &operations[i])) continue;
        snprintf(name, sizeof name, "%s/%s", bench->row->name, operations[i].name);
        CALLGRIND_ZERO_STATS;
        for (size_t k = 0; k < COUNTED; k++) {
            sum += operations[i].run(bench, &bench->row->requests[k % bench->row->count]);
        }
        CALLGRIND_DUMP_STATS_AT(name);
        kept = sum;
        (void)kept;
    }
}
#endif

static void measure(struct bench *bench, bool is_cold)
{
#ifdef HAVE_VALGRIND_CALLGRIND_H
    if (RUNNING_ON_VALGRIND) {
        count_instructions(bench);
        return;
    }
#endif
    if (is_cold) {
        measure_cold(bench);
    } else {
        measure_warm(bench);
        if (is_asked(bench, &operations[1])) print_lines(bench);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct bench bench = { .seconds = 1, .evict_size = (size_t)64 << 20 };
    static const struct request_fields fields = { .header = get_header };
    const char *cdb_keys = NULL, *dbm_keys = NULL;
    char reason[RULESET_REASON_SIZE];
    bool is_cold = false;
    int at = 1;

    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--cold") == 0) is_cold = true;
        else if (at + 1 == argc) fail(argv[at], "it needs a value");
        else if (strcmp(argv[at], "--seconds") == 0) bench.seconds = strtod(argv[++at], NULL);
        else if (strcmp(argv[at], "--evict") == 0) bench.evict_size = (size_t)strtoul(argv[++at], NULL, 10) << 20;
        else if (strcmp(argv[at], "--cdb") == 0) cdb_keys = argv[++at];
        else if (strcmp(argv[at], "--rewritemap") == 0) dbm_keys = argv[++at];
        else fail(argv[at], "there is no such option");
    }
    if (argc - at < 2) fail("usage", "lookup [options] FILE.r307 [exact:]ROW=REQUESTS...");
    if (!ruleset_map_open(argv[at], RULESET_MAP_SHARED_PAGES, &bench.map, reason)) fail(argv[at], reason);
    bench.rs = bench.map.ruleset;
    bench.scratch = allocate(1, sizeof *bench.scratch);
    if (is_cold) bench.evicted = allocate(bench.evict_size, 1);
    bench.key = (struct request_key){
        .method = SLICE("GET"), .scheme = SLICE("http"), .port = 80, .fields = &fields,
        .client = { .family = 4, .address = { 10, 1, 2, 3 } }, .time_s = 1780000000, .regex = regex_scratch_open(),
    };
    bench.peers = peers_open(cdb_keys, dbm_keys);
    while (++at < argc) {
        struct row row = read_row(argv[at]);

        bench.row = &row;
        if (row.is_exact && !bench.has_scope) find_scope(&bench);
        if (row.is_exact && peers_have_dbm(bench.peers)) teach_peers(&bench);
        measure(&bench, is_cold);
        free(row.requests);
        free(row.text);
    }
    regex_scratch_close(bench.key.regex);
    ruleset_map_close(&bench.map);
    return 0;
}
