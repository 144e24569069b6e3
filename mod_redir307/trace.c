/* SPDX-License-Identifier: Apache-2.0 */
/* A decision in words. Only what the answer and the map hold is told: nothing is decided
 * again. */
#include "mod_redir307/trace.h"

#include <stdio.h>

/* snprintf() counts what it would have written: here what was. */
static size_t written(int count, size_t size)
{
    if (count < 0 || size == 0) {
        return 0;
    }
    return (size_t)count < size ? (size_t)count : size - 1;
}

/* For "%.*s": nothing that is told is longer than a line. */
static int shown(struct slice slice)
{
    return slice.size < TRACE_LINE_SIZE ? (int)slice.size : TRACE_LINE_SIZE;
}

static const char *text(struct slice slice)
{
    return slice.data ? slice.data : "";
}

static size_t append(struct slice part, char *line, size_t size, size_t used)
{
    size_t room = size - 1 - used;
    size_t count = part.size < room ? part.size : room;

    memcpy(line + used, text(part), count);
    return used + count;
}

/* Every answer is logged with its place: printf() would be a fifth of what the module takes for
 * one. */
size_t trace_where(const struct ruleset_place *where, char *line, size_t size)
{
    char digits[11], *first = digits + sizeof(digits);
    uint32_t number = where->line;
    size_t used;

    if (size == 0) {
        return 0;
    }
    if (where->source.size == 0) {
        used = append(SLICE("?"), line, size, 0);
    } else {
        do {
            *--first = (char)('0' + number % 10);
            number /= 10;
        } while (number);
        *--first = ':';
        used = append(where->source, line, size, 0);
        used = append(slice_of(first, (size_t)(digits + sizeof(digits) - first)), line, size,
                      used);
    }
    line[used] = '\0';
    return used;
}

size_t trace_place(const struct ruleset *ruleset, uint32_t place, char *line, size_t size)
{
    struct ruleset_place where = ruleset_place(ruleset, place);

    return trace_where(&where, line, size);
}

size_t trace_candidate(const struct ruleset *ruleset, uint32_t place, const char *why,
                       char *line, size_t size)
{
    size_t used = trace_place(ruleset, place, line, size);

    return used + written(snprintf(line + used, size - used, ": %s", why), size - used);
}

size_t trace_request(const struct request_key *key, char *line, size_t size)
{
    char port[8] = "";
    bool has_colon = key->host.size && memchr(key->host.data, ':', key->host.size);

    if (key->port && key->port != url_default_port(key->scheme)) {
        snprintf(port, sizeof(port), ":%u", (unsigned)key->port);
    }
    return written(snprintf(line, size, "%.*s %.*s://%s%.*s%s%s%.*s%s%.*s", shown(key->method),
                            text(key->method), shown(key->scheme), text(key->scheme),
                            has_colon ? "[" : "", shown(key->host), text(key->host),
                            has_colon ? "]" : "", port, shown(key->path), text(key->path),
                            key->has_query ? "?" : "", shown(key->query), text(key->query)),
                   size);
}

size_t trace_answer(const struct ruleset *ruleset, const struct answer *answer, char *line,
                    size_t size)
{
    size_t used;

    if (answer->outcome == ANSWER_NONE) {
        return written(snprintf(line, size, "passed on: no rule"), size);
    }
    if (answer->outcome == ANSWER_PASS) {
        used = written(snprintf(line, size, "passed on by "), size);
    } else {
        used = written(snprintf(line, size, "%u %.*s%sby ", answer->status,
                                shown(answer->location), text(answer->location),
                                answer->location.size ? " " : ""),
                       size);
    }
    return used + trace_place(ruleset, answer->place, line + used, size - used);
}
