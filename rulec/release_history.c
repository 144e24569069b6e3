/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the history of a folder of releases. It is written at its end only, so a crash can cut off its last line and
 * nothing else. */
#include "config.h"

#include "rulec/release_history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool release_id_is_valid(struct slice id)
{
    if (id.size != RULESET_ID_SIZE)
        return false;
    for (size_t i = 0; i < id.size; i++)
        if (!strchr("0123456789abcdef", id.data[i]) || id.data[i] == '\0')
            return false;
    return true;
}

static bool copy_word(struct slice word, char *to, size_t size)
{
    if (word.size == 0 || word.size >= size)
        return false;
    memcpy(to, word.data, word.size);
    to[word.size] = '\0';
    return true;
}

static bool parse_line(struct slice text, struct release_line *line)
{
    struct slice time_word = slice_next_word(&text), action = slice_next_word(&text), id = slice_next_word(&text);
    char rules[24];

    if (!release_id_is_valid(id) || !copy_word(time_word, line->time, sizeof line->time) ||
        !copy_word(action, line->action, sizeof line->action) || !copy_word(slice_next_word(&text), rules, sizeof rules))
        return false;
    copy_word(id, line->id, sizeof line->id);
    line->rules = strtoull(rules, NULL, 10);
    return true;
}

void release_history_parse(struct arena *arena, struct slice text, struct release_history *history)
{
    const char *at = text.data, *end = at + text.size;
    size_t room = 0;

    for (size_t i = 0; i < text.size; i++)
        room += text.data[i] == '\n';
    history->lines = arena_array(arena, room, sizeof *history->lines);
    history->line_count = 0;
    history->ends_in_line_end = text.size == 0 || end[-1] == '\n';
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));

        if (!line_end)
            break;
        if (parse_line(slice_of(at, (size_t)(line_end - at)), &history->lines[history->line_count]))
            history->line_count++;
        at = line_end + 1;
    }
}

const char *release_history_line(struct arena *arena, const char *action, const char *id, uint64_t rules)
{
    time_t now = time(NULL);
    char text[RELEASE_TIME_SIZE + 1];
    struct tm utc;

    if (!gmtime_r(&now, &utc) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        memcpy(text, "0000-00-00T00:00:00Z", sizeof text);
    return arena_printf(arena, "%s %s %s %" PRIu64 "\n", text, action, id, rules);
}

/* The row of releases that are below the current one: deploying puts one on top, rolling back takes off down to it. */
struct row {
    const char **ids;
    size_t count;
};

static void go_to(struct row *row, const char *id, bool may_go_back)
{
    if (row->count && strcmp(row->ids[row->count - 1], id) == 0)
        return;
    for (size_t i = row->count; may_go_back && i-- > 0;)
        if (strcmp(row->ids[i], id) == 0) {
            row->count = i + 1;
            return;
        }
    row->ids[row->count++] = id;
}

static struct row replay(struct arena *arena, const struct release_history *history, size_t line_count)
{
    struct row row = { .ids = arena_array(arena, line_count + 1, sizeof *row.ids), .count = 0 };

    for (size_t i = 0; i < line_count; i++)
        go_to(&row, history->lines[i].id, strcmp(history->lines[i].action, "rollback") == 0);
    return row;
}

static bool is_on_top(const struct row *row, const char *id)
{
    return row->count && strcmp(row->ids[row->count - 1], id) == 0;
}

const char *release_history_previous(struct arena *arena, const struct release_history *history, const char *current)
{
    struct row row = replay(arena, history, history->line_count);

    if (!is_on_top(&row, current) && history->line_count) {
        /* The line is written before the change: the last one may be of a change that never came. */
        struct row without_last = replay(arena, history, history->line_count - 1);

        if (is_on_top(&without_last, current))
            row = without_last;
    }
    /* An unknown current release (put there by hand, or by a roll-back that a full disk kept from being recorded). */
    if (*current)
        go_to(&row, current, true);
    else
        return row.count ? row.ids[row.count - 1] : NULL;
    return row.count > 1 ? row.ids[row.count - 2] : NULL;
}

const struct release_line *release_history_find(const struct release_history *history, const char *id)
{
    for (size_t i = history->line_count; i-- > 0;)
        if (strcmp(history->lines[i].id, id) == 0)
            return &history->lines[i];
    return NULL;
}
