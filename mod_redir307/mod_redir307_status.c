/* SPDX-License-Identifier: Apache-2.0 */
/* SetHandler redir307-status: what this server redirects by, since when, what went wrong, and
 * which rules answer most. Everything is copied while the rules are held, in pieces, so that no
 * swap waits for a page; mod_redir307_status_pages.c writes it. Targets are not told. */
#include "mod_redir307/mod_redir307_status.h"

#include "mod_redir307/mod_redir307_files.h"
#include "mod_redir307/trace.h"

#include "apr_strings.h"
#include "http_protocol.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    TOP_DEFAULT = 20,
    TOP_LIMIT = 1000,
    WALK_PIECE = 2048, /* rules that are read before a swap is let through */
    WALK_TRIES = 3     /* each swap begins the walk anew */
};

/* ---- texts ---- */

static unsigned sequence_size(const unsigned char *at, size_t room)
{
    unsigned size = at[0] >= 0xc2 && at[0] < 0xe0   ? 2
                    : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                    : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                    : 0;

    if (size == 0 || size > room || (at[0] == 0xe0 && at[1] < 0xa0) ||
        (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f)) {
        return 0;
    }
    for (unsigned i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

/* A copy in which each byte that is no text is a "?". */
static const char *text_of(apr_pool_t *pool, struct slice bytes)
{
    char *text = apr_pstrmemdup(pool, bytes.size ? bytes.data : "", bytes.size);
    size_t at = 0;

    while (at < bytes.size) {
        unsigned char byte = (unsigned char)text[at];
        unsigned size =
            byte < 0x80 ? 0 : sequence_size((unsigned char *)text + at, bytes.size - at);

        if (byte < ' ' || byte == 0x7f || (byte >= 0x80 && size == 0)) {
            text[at] = '?';
        }
        at += size ? size : 1;
    }
    return text;
}

/* ---- rules by hits ---- */

static int compare_place(const void *a, const void *b)
{
    const struct status_rule *left = a, *right = b;

    return (left->place > right->place) - (left->place < right->place);
}

static int compare_hits(const void *a, const void *b)
{
    const struct status_rule *left = a, *right = b;

    if (left->hits != right->hits) {
        return left->hits < right->hits ? 1 : -1;
    }
    return compare_place(a, b);
}

/* A rule may have several records, and hits at each. */
static int merge_places(struct status_rule *rules, int count)
{
    int merged = 0;

    qsort(rules, (size_t)count, sizeof(*rules), compare_place);
    for (int i = 0; i < count; i++) {
        if (merged && rules[merged - 1].place == rules[i].place) {
            rules[merged - 1].hits += rules[i].hits;
            if (rules[merged - 1].last_used_s < rules[i].last_used_s) {
                rules[merged - 1].last_used_s = rules[i].last_used_s;
            }
        } else {
            rules[merged++] = rules[i];
        }
    }
    return merged;
}

/* False: the rules were swapped meanwhile. */
static bool walk(struct rules_file *file, unsigned serial, apr_array_header_t *found)
{
    struct ruleset_walk at = { .at = 0 };
    bool goes_on = true;

    while (goes_on) {
        const struct served *served = rules_file_enter(file);
        bool is_same = served->ruleset && served->serial == serial;

        for (unsigned i = 0; is_same && goes_on && i < WALK_PIECE; i++) {
            struct ruleset_rule rule;
            struct rule_hits hits;

            goes_on = ruleset_next_rule(served->ruleset, &at, &rule);
            if (goes_on && rule.identity && counters_get(file->salt ^ rule.identity, &hits)) {
                APR_ARRAY_PUSH(found, struct status_rule) =
                    (struct status_rule){ .place = rule.place,
                                          .hits = hits.count,
                                          .last_used_s = hits.last_used_s };
            }
        }
        rules_file_leave(file, served);
        if (!is_same) {
            return false;
        }
    }
    return true;
}

/* False: as walk(). */
static bool describe(apr_pool_t *pool, struct rules_file *file, unsigned serial,
                     struct status_rule *rules, unsigned count)
{
    const struct served *served = rules_file_enter(file);
    const struct ruleset *ruleset = served->ruleset;
    bool is_same = ruleset && served->serial == serial;

    for (unsigned i = 0; is_same && i < count; i++) {
        char line[TRACE_LINE_SIZE];
        struct slice note, owner;
        size_t size = trace_place(ruleset, rules[i].place, line, sizeof(line));

        ruleset_note(ruleset, rules[i].place, &note, &owner);
        rules[i].where = text_of(pool, slice_of(line, size));
        rules[i].note = text_of(pool, note);
        rules[i].owner = text_of(pool, owner);
    }
    rules_file_leave(file, served);
    return is_same;
}

static bool find_top(apr_pool_t *pool, struct rules_file *file, unsigned limit,
                     struct status_file *to)
{
    apr_array_header_t *found = apr_array_make(pool, 64, sizeof(struct status_rule));
    int count;

    if (!walk(file, to->serial, found)) {
        return false;
    }
    count = merge_places((struct status_rule *)found->elts, found->nelts);
    to->top = (struct status_rule *)found->elts;
    qsort(to->top, (size_t)count, sizeof(*to->top), compare_hits);
    to->top_count = (unsigned)count < limit ? (unsigned)count : limit;
    return describe(pool, file, to->serial, to->top, to->top_count);
}

/* ---- files ---- */

static void read_rules(apr_pool_t *pool, struct rules_file *file, struct status_file *to)
{
    const struct served *served = rules_file_enter(file);
    const struct ruleset *ruleset = served->ruleset;

    to->has_rules = ruleset != NULL;
    if (ruleset) {
        char id[RULESET_ID_SIZE + 1];
        struct ruleset_counts counts;

        ruleset_id(ruleset, id);
        ruleset_counts(ruleset, &counts);
        to->id = apr_pstrdup(pool, id);
        to->rules = counts.rules;
        to->size = counts.file_size;
        to->loaded_at = served->loaded_at;
        to->serial = served->serial;
    }
    rules_file_leave(file, served);
}

static void read_file(apr_pool_t *pool, struct rules_file *file, unsigned limit,
                      struct status_file *to)
{
    to->path = text_of(pool, slice_from_string(file->path));
    to->is_copy = file->how == RULESET_MAP_COPY;
    to->loads = atomic_load(&file->kept->totals->loads);
    to->failures = atomic_load(&file->kept->totals->failures);
    pthread_mutex_lock(&file->looking);
    to->is_refused = file->has_refused;
    to->error = text_of(pool, slice_from_string(file->reason));
    to->error_at = file->reason_at;
    pthread_mutex_unlock(&file->looking);
    for (unsigned i = 0; i < WALK_TRIES; i++) {
        read_rules(pool, file, to);
        if (!to->has_rules || !counters_are_on() || find_top(pool, file, limit, to)) {
            return;
        }
        to->top_count = 0;
    }
}

static void collect(request_rec *r, unsigned limit, struct status *status)
{
    struct rules_file *first = rules_files_first(r->server);
    unsigned i = 0;

    *status = (struct status){ .pid = (long)getpid(), .now = apr_time_now() };
    status->file_count = rules_files_count(r->server);
    status->files = apr_pcalloc(r->pool, (status->file_count + 1) * sizeof(*status->files));
    for (struct rules_file *file = first; file; file = rules_file_next(file)) {
        if (rules_file_interval(file) == WATCH_EACH_REQUEST) {
            rules_file_look(file);
        }
        read_file(r->pool, file, limit, &status->files[i++]);
    }
    counters_sum(&status->hits);
}

/* ---- the request ---- */

enum format { FORMAT_HTML, FORMAT_JSON, FORMAT_PROMETHEUS };

static enum format format_of_accept(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    apr_table_mergen(r->headers_out, "Vary", "Accept");
    if (accept && ap_strcasestr(accept, "version=0.0.4")) {
        return FORMAT_PROMETHEUS;
    }
    if (accept && ap_strcasestr(accept, "application/json") &&
        !ap_strcasestr(accept, "text/html")) {
        return FORMAT_JSON;
    }
    return FORMAT_HTML;
}

/* `?json`, `?prometheus`, `?top=100`, joined by `&`; what is not known is left alone. */
static enum format read_arguments(request_rec *r, unsigned *top)
{
    enum format format = FORMAT_HTML;
    bool is_chosen = false;
    char *rest = apr_pstrdup(r->pool, r->args ? r->args : ""), *last;

    for (char *word = apr_strtok(rest, "&", &last); word; word = apr_strtok(NULL, "&", &last)) {
        if (strcmp(word, "json") == 0 || strcmp(word, "prometheus") == 0 ||
            strcmp(word, "html") == 0) {
            is_chosen = true;
            format = *word == 'j'   ? FORMAT_JSON
                     : *word == 'p' ? FORMAT_PROMETHEUS
                                    : FORMAT_HTML;
        } else if (strncmp(word, "top=", 4) == 0) {
            apr_int64_t wanted = apr_strtoi64(word + 4, NULL, 10);

            *top = wanted < 0 ? 0 : wanted > TOP_LIMIT ? TOP_LIMIT : (unsigned)wanted;
        }
    }
    return is_chosen ? format : format_of_accept(r);
}

static __attribute__((noinline)) int answer(request_rec *r)
{
    static void (*const writers[])(request_rec *, const struct status *) = {
        status_write_html, status_write_json, status_write_prometheus
    };
    static const char *const types[] = { "text/html; charset=utf-8", "application/json",
                                         "text/plain; version=0.0.4; charset=utf-8" };
    unsigned top = TOP_DEFAULT;
    struct status status;
    enum format format;

    if (strcmp(r->handler, STATUS_HANDLER) != 0) {
        return DECLINED;
    }
    r->allowed |= AP_METHOD_BIT << M_GET;
    if (r->method_number == M_OPTIONS) {
        return DECLINED;
    }
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    format = read_arguments(r, &top);
    ap_set_content_type(r, types[format]);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'");
    if (r->header_only) {
        return OK;
    }
    collect(r, format == FORMAT_PROMETHEUS ? 0 : top, &status);
    writers[format](r, &status);
    return OK;
}

/* Asked for each request of the server: small, so that it costs nothing elsewhere. */
int status_handler(request_rec *r)
{
    return r->handler && *r->handler == *STATUS_HANDLER ? answer(r) : DECLINED;
}
