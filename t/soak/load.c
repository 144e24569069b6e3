/* SPDX-License-Identifier: Apache-2.0 */
/* The load of the soak test: asks one httpd on connections that stay, on new ones and over HTTP/2 at once, and judges
 * each answer by what it is told on standard input about the rule files. A client as others are: where a connection that
 * was kept ends before a byte of an answer came, it asks again on a new one (RFC 9110, 9.2.2; RFC 9113, 6.8), and counts that.
 *   load PORT TLS_PORT RULES LATE_MS SETTLE_MS      (TLS_PORT 0: nothing over HTTP/2)
 * One command a line, each answered by a line "ok":
 *   next H V    rules of version V are about to be put in place for host H (0 or 1)
 *   put H       they are in place
 *   damage H    the live file of this host is about to be damaged in place
 *   abrupt      httpd is about to be restarted abruptly
 *   steady      it answers again
 *   quit        ends; prints the sums */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef HAVE_LIBCURL
int main(void)
{
    puts("no libcurl");
    return 77;
}
#else
#include <curl/curl.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { HOSTS = 2, VERSIONS = 1000, KINDS = 6, TEXT_SIZE = 128, SHOWN_LIMIT = 20, TRIES_LIMIT = 3 };

/* Microseconds of a clock that is never set. */
typedef int64_t moment;
static const moment never = INT64_MAX;

/* From..until, and from..never while it lasts. */
struct window {
    moment from, until;
};

static const struct {
    const char *name;
    long http;
    bool is_fresh;
    unsigned width;  /* requests at once */
    unsigned gap_us; /* after each: new connections use up ports */
} ways[] = {
    { "keep-alive", CURL_HTTP_VERSION_1_1, false, 6, 0 },
    { "new connections", CURL_HTTP_VERSION_1_1, true, 3, 2500 },
    { "HTTP/2", CURL_HTTP_VERSION_2TLS, false, 8, 0 },
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static long port, tls_port;
static unsigned rules_count;
static moment late_limit, settle_limit;
static moment started;
static atomic_bool is_over;

/* What is told and what came of it; under `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct window versions[VERSIONS]; /* when each was the newest good one */
    unsigned next, current;
    struct window damage;
} hosts[HOSTS];
static struct window abrupt = { .from = INT64_MAX, .until = INT64_MAX };
static struct {
    uint64_t requests[WAYS], failed, wrong, cut_by_restart, asked_again[WAYS], missing_while_damaged, garbled_while_damaged;
    moment stalest, slowest;
    unsigned shown_failed, shown_wrong, shown_odd;
} sums;

struct request {
    CURL *curl;
    unsigned way, host, kind;
    uint64_t random;
    char path[TEXT_SIZE], location[TEXT_SIZE];
    long status;
    moment began;
    unsigned tries; /* that ended before a byte of an answer came */
};

static moment now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (moment)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool overlaps(const struct window *window, moment from, moment until)
{
    return window->from <= until && window->until >= from;
}

/* ---- the judge ---- */

static void show(const struct request *request, unsigned *shown, const char *what, const char *detail, moment now)
{
    if ((*shown)++ < SHOWN_LIMIT) {
        fprintf(stderr, "%.3f %s: %s host %u %s: %s (%ld %s), asked %.3f s ago\n",
                (double)(now - started) / 1e6, what, ways[request->way].name, request->host,
                request->path, detail, request->status, request->location, (double)(now - request->began) / 1e6);
    }
}

/* The version that a Location speaks of, -1 where it is no answer to this path. */
static int version_of(const struct request *request)
{
    const char *at = request->location;

    if (at[0] != '/' || at[1] != 'v') return -1;
    int version = 0;
    for (unsigned i = 2; i < 5; i++) {
        if (at[i] < '0' || at[i] > '9') return -1;
        version = version * 10 + (at[i] - '0');
    }
    return strcmp(at + 5, request->path) == 0 ? version : -1;
}

static bool may_be_damaged(unsigned host, moment began, moment now)
{
    return overlaps(&hosts[host].damage, began - settle_limit, now);
}

static bool is_status(long status)
{
    static const long statuses[] = { 301, 302, 303, 307, 308, 403, 404, 406, 410, 414, 451, 503 };

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (status == statuses[i]) return true;
    }
    return false;
}

static void judge_answer(const struct request *request, moment now)
{
    bool is_nothing = request->status == 404 && !request->location[0];
    int version = request->status == 307 ? version_of(request) : -1;

    if (request->kind == KINDS - 1 && is_nothing) return;
    if (request->kind != KINDS - 1 && version >= 0) {
        const struct window *window = &hosts[request->host].versions[version];

        if (overlaps(window, request->began - late_limit, now)) {
            moment age = request->began - window->until;
            if (age > sums.stalest) sums.stalest = age;
            return;
        }
    }
    if (may_be_damaged(request->host, request->began, now) && is_status(request->status)) {
        if (is_nothing) {
            sums.missing_while_damaged++;
        } else {
            sums.garbled_while_damaged++;
            show(request, &sums.shown_odd, "ODD", "made of the bytes that were written", now);
        }
        return;
    }
    sums.wrong++;
    show(request, &sums.shown_wrong, "WRONG", version >= 0 ? "rules of another time" : "no answer of any rules", now);
}

static void judge(const struct request *request, CURLcode result)
{
    moment now = now_us();

    pthread_mutex_lock(&lock);
    sums.requests[request->way]++;
    if (now - request->began > sums.slowest) sums.slowest = now - request->began;
    if (result == CURLE_OK) {
        judge_answer(request, now);
    } else if (overlaps(&abrupt, request->began, now)) {
        sums.cut_by_restart++;
    } else {
        sums.failed++;
        show(request, &sums.shown_failed, "FAILED", curl_easy_strerror(result), now);
    }
    pthread_mutex_unlock(&lock);
}

static void count_second(const struct request *request)
{
    pthread_mutex_lock(&lock);
    sums.asked_again[request->way]++;
    pthread_mutex_unlock(&lock);
}

/* ---- requests ---- */

static uint64_t draw(struct request *request)
{
    request->random ^= request->random << 13;
    request->random ^= request->random >> 7;
    request->random ^= request->random << 17;
    return request->random;
}

static size_t take_field(char *line, size_t one, size_t size, void *baton)
{
    static const char name[] = "location:";
    struct request *request = baton;

    size *= one;
    if (size >= sizeof name && curl_strnequal(line, name, sizeof name - 1)) {
        size_t from = sizeof name - 1, until = size;

        while (from < until && line[from] == ' ') from++;
        while (until > from && (line[until - 1] == '\r' || line[until - 1] == '\n')) until--;
        snprintf(request->location, TEXT_SIZE, "%.*s", (int)(until - from), line + from);
    }
    return size;
}

static size_t drop_body(char *bytes, size_t one, size_t size, void *baton)
{
    (void)bytes;
    (void)baton;
    return one * size;
}

static struct curl_slist *fields, *connect_to;

static void aim(struct request *request)
{
    static const char *const names[HOSTS] = { "mapped.test", "copied.test" };
    static const struct {
        const char *before, *behind;
    } forms[KINDS] = { { "r", "" }, { "t", "/x/y" }, { "p", "" }, { "re", "" }, { "w", "" }, { "n", "" } };
    char url[TEXT_SIZE * 2];

    request->host = (unsigned)(draw(request) >> 20) % HOSTS;
    request->kind = (unsigned)(draw(request) >> 20) % KINDS;
    snprintf(request->path, TEXT_SIZE, "/%s/%u%s", forms[request->kind].before,
             (unsigned)((draw(request) >> 20) % rules_count + 1), forms[request->kind].behind);
    bool is_tls = ways[request->way].http == CURL_HTTP_VERSION_2TLS;
    snprintf(url, sizeof url, "%s://%s:%ld%s", is_tls ? "https" : "http", names[request->host], is_tls ? tls_port : port,
             request->path);
    curl_easy_setopt(request->curl, CURLOPT_URL, url);
    request->location[0] = 0;
    request->status = 0;
    request->tries = 0;
    request->began = now_us();
}

static bool open_request(struct request *request, unsigned way, unsigned number)
{
    CURL *curl = curl_easy_init();

    if (!curl) return false;
    *request = (struct request){ .curl = curl, .way = way, .random = 0x9e3779b97f4a7c15u * (way * 100 + number + 1) };
    curl_easy_setopt(curl, CURLOPT_PRIVATE, request);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, ways[way].http);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, (long)ways[way].is_fresh);
    curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    /* The certificate is made for the test; whose it is is not what is tested. */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    return true;
}

static void wait_us(unsigned microseconds)
{
    const struct timespec wait = { .tv_nsec = (long)microseconds * 1000 };

    if (microseconds) nanosleep(&wait, NULL);
}

/* One finished transfer: judged, and asked for something else; false when it is not to go on. */
static bool turn(CURLM *multi, const CURLMsg *message)
{
    CURLcode result = message->data.result;
    CURL *curl = message->easy_handle;
    struct request *request = NULL;

    curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&request);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &request->status);
    curl_multi_remove_handle(multi, curl);
    if (result != CURLE_OK && request->status == 0 && !ways[request->way].is_fresh
        && request->tries < TRIES_LIMIT) {
        request->tries++;
        count_second(request);
    } else {
        judge(request, result);
        if (atomic_load(&is_over)) return false;
        wait_us(ways[request->way].gap_us);
        aim(request);
    }
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, (long)(ways[request->way].is_fresh || request->tries));
    curl_multi_add_handle(multi, curl);
    return true;
}

static void *ask(void *baton)
{
    unsigned way = (unsigned)(uintptr_t)baton, width = ways[way].width, left = 0;
    CURLM *multi = curl_multi_init();
    struct request requests[16];
    CURLMsg *message;
    int running, waiting;

    for (; left < width && open_request(&requests[left], way, left); left++) {
        aim(&requests[left]);
        curl_multi_add_handle(multi, requests[left].curl);
    }
    width = left;
    while (left > 0) {
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &waiting))) {
            if (message->msg == CURLMSG_DONE && !turn(multi, message)) left--;
        }
        if (left > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    for (unsigned i = 0; i < width; i++) curl_easy_cleanup(requests[i].curl);
    curl_multi_cleanup(multi);
    return NULL;
}

/* ---- commands ---- */

/* False: that was the last one. */
static bool obey(const char *line)
{
    unsigned host = 0, version = 0;
    moment now = now_us();
    bool goes_on = true;

    pthread_mutex_lock(&lock);
    if (sscanf(line, "next %u %u", &host, &version) == 2 && host < HOSTS && version < VERSIONS) {
        hosts[host].next = version;
        hosts[host].versions[version] = (struct window){ .from = now, .until = never };
    } else if (sscanf(line, "put %u", &host) == 1 && host < HOSTS) {
        if (hosts[host].current != hosts[host].next) hosts[host].versions[hosts[host].current].until = now;
        hosts[host].current = hosts[host].next;
        if (hosts[host].damage.until == never) hosts[host].damage.until = now;
    } else if (sscanf(line, "damage %u", &host) == 1 && host < HOSTS) {
        hosts[host].damage = (struct window){ .from = now, .until = never };
    } else if (strcmp(line, "abrupt\n") == 0) {
        abrupt = (struct window){ .from = now, .until = never };
    } else if (strcmp(line, "steady\n") == 0) {
        abrupt.until = now;
    } else {
        goes_on = false;
    }
    pthread_mutex_unlock(&lock);
    puts("ok");
    fflush(stdout);
    return goes_on;
}

static void print_sums(void)
{
    for (unsigned i = 0; i < WAYS; i++) printf("requests, %s: %llu\n", ways[i].name, (unsigned long long)sums.requests[i]);
    for (unsigned i = 0; i < WAYS; i++) {
        printf("asked again, %s: %llu\n", ways[i].name, (unsigned long long)sums.asked_again[i]);
    }
    printf("failed: %llu\n", (unsigned long long)sums.failed);
    printf("wrong: %llu\n", (unsigned long long)sums.wrong);
    printf("cut by an abrupt restart: %llu\n", (unsigned long long)sums.cut_by_restart);
    printf("no rule while damaged in place: %llu\n", (unsigned long long)sums.missing_while_damaged);
    printf("odd while damaged in place: %llu\n", (unsigned long long)sums.garbled_while_damaged);
    printf("old rules at most ms after a swap: %lld\n", (long long)(sums.stalest / 1000));
    printf("slowest answer ms: %lld\n", (long long)(sums.slowest / 1000));
}

int main(int argc, char **argv)
{
    pthread_t threads[WAYS];
    bool is_made[WAYS] = { false };
    char line[TEXT_SIZE];

    if (argc != 6) return 2;
    port = strtol(argv[1], NULL, 10);
    tls_port = strtol(argv[2], NULL, 10);
    rules_count = (unsigned)strtoul(argv[3], NULL, 10);
    late_limit = strtol(argv[4], NULL, 10) * 1000;
    settle_limit = strtol(argv[5], NULL, 10) * 1000;
    if (rules_count == 0) return 2;
    for (unsigned i = 0; i < HOSTS; i++) {
        for (unsigned j = 0; j < VERSIONS; j++) hosts[i].versions[j] = (struct window){ .from = never, .until = never };
        hosts[i].versions[0].from = 0;
        hosts[i].damage = (struct window){ .from = never, .until = 0 };
    }
    started = now_us();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    fields = curl_slist_append(NULL, "X-On: 1");
    connect_to = curl_slist_append(NULL, "::127.0.0.1:");
    for (unsigned i = 0; i < WAYS; i++) {
        if (ways[i].http == CURL_HTTP_VERSION_2TLS && tls_port == 0) continue;
        is_made[i] = pthread_create(&threads[i], NULL, ask, (void *)(uintptr_t)i) == 0;
    }
    while (fgets(line, sizeof line, stdin) && obey(line)) {}
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < WAYS; i++) {
        if (is_made[i]) pthread_join(threads[i], NULL);
    }
    print_sums();
    curl_slist_free_all(fields);
    curl_slist_free_all(connect_to);
    curl_global_cleanup();
    return 0;
}
#endif
