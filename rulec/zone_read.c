/* SPDX-License-Identifier: Apache-2.0 */
/* The second block of a TZif file (64-bit times) and its footer. Counts come from the file, so each is measured against
 * the bytes that are there before anything is read. Transitions that change no offset are left out. */
#include "config.h"

#include "rulec/zone_read.h"

#include "rulec/local_time.h"

#include "grammar/suggest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_SIZE = 44,
    FILE_LIMIT = 1 << 20, /* the largest zones have some kilobytes */
    NAME_LIMIT = 64,
    DAY_S = 86400,
    OFFSET_LIMIT = 26 * 3600 /* RFC 8536, 3.2: more than a day would be a mistake */
};

/* RFC 8536, 3.2: no transition is earlier than that; nor is one that far ahead, and days can be counted from both. */
#define TIME_LIMIT (INT64_C(1) << 59)

/* ---- the POSIX rule (POSIX.1-2017, 8.3, TZ; hours up to 167 as RFC 8536, 3.3.1 has them) ---- */

struct cursor {
    const char *at, *end;
};

static bool skip(struct cursor *cursor, char byte)
{
    if (cursor->at == cursor->end || *cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool read_number(struct cursor *cursor, unsigned limit, unsigned *number)
{
    unsigned value = 0;

    if (cursor->at == cursor->end || !is_digit(*cursor->at))
        return false;
    while (cursor->at < cursor->end && is_digit(*cursor->at)) {
        value = value * 10 + (unsigned)(*cursor->at++ - '0');
        if (value > limit)
            return false;
    }
    *number = value;
    return true;
}

/* `CET`, `<+03>`: what clocks show, which nobody asks here. */
static bool skip_name(struct cursor *cursor)
{
    size_t size = 0;

    if (skip(cursor, '<')) {
        while (cursor->at < cursor->end && *cursor->at != '>')
            cursor->at++;
        return skip(cursor, '>');
    }
    for (; cursor->at < cursor->end; cursor->at++, size++) {
        char lower = (char)(*cursor->at | 32);

        if (lower < 'a' || lower > 'z')
            break;
    }
    return size >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool read_time(struct cursor *cursor, unsigned hour_limit, int32_t *time_s)
{
    bool is_negative = skip(cursor, '-');
    unsigned hours, minutes = 0, seconds = 0;

    if (!is_negative)
        skip(cursor, '+');
    if (!read_number(cursor, hour_limit, &hours))
        return false;
    if (skip(cursor, ':') && !read_number(cursor, 59, &minutes))
        return false;
    if (skip(cursor, ':') && !read_number(cursor, 59, &seconds))
        return false;
    *time_s = (int32_t)(hours * 3600 + minutes * 60 + seconds);
    if (is_negative)
        *time_s = -*time_s;
    return true;
}

static bool read_edge(struct cursor *cursor, struct plan_zone_rule *rule)
{
    unsigned day, month, week, weekday;

    *rule = (struct plan_zone_rule){ .time_s = 2 * 3600 };
    if (skip(cursor, 'M')) {
        if (!read_number(cursor, 12, &month) || month == 0 || !skip(cursor, '.') ||
            !read_number(cursor, 5, &week) || week == 0 || !skip(cursor, '.') ||
            !read_number(cursor, 6, &weekday)) {
            return false;
        }
        rule->kind = 1;
        rule->month = (uint8_t)month;
        rule->week = (uint8_t)week;
        rule->weekday = (uint8_t)weekday;
    } else {
        rule->kind = skip(cursor, 'J') ? 2 : 3;
        if (!read_number(cursor, 365, &day) || (rule->kind == 2 && day == 0))
            return false;
        rule->day = (uint16_t)day;
    }
    return !skip(cursor, '/') || read_time(cursor, 167, &rule->time_s);
}

bool zone_read_rule(struct slice text, struct plan_zone *zone)
{
    struct cursor cursor = { .at = text.data, .end = text.data + text.size };
    int32_t west_s;

    if (text.size == 0 || !skip_name(&cursor) || !read_time(&cursor, 24, &west_s))
        return false;
    zone->standard_s = zone->daylight_s = -west_s; /* POSIX counts west of Greenwich */
    zone->to_daylight = zone->to_standard = (struct plan_zone_rule){ 0 };
    if (cursor.at < cursor.end) {
        if (!skip_name(&cursor) || cursor.at == cursor.end)
            return false;
        if (*cursor.at == ',')
            zone->daylight_s = zone->standard_s + 3600;
        else if (!read_time(&cursor, 24, &west_s))
            return false;
        else
            zone->daylight_s = -west_s;
        if (!skip(&cursor, ',') || !read_edge(&cursor, &zone->to_daylight) ||
            !skip(&cursor, ',') || !read_edge(&cursor, &zone->to_standard)) {
            return false;
        }
    }
    zone->has_rule = true;
    return cursor.at == cursor.end;
}

/* ---- the file ---- */

static uint64_t big_endian(const char *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

struct block {
    uint64_t utc_count, standard_count, leap_count, time_count, type_count, character_count;
};

/* The header at `at`, and how many bytes its data takes where a time has `time_size`. */
static bool read_header(struct slice bytes, size_t at, unsigned time_size, struct block *block,
                        uint64_t *data_size)
{
    if (bytes.size - at < HEADER_SIZE || memcmp(bytes.data + at, "TZif", 4) != 0)
        return false;
    const char *counts = bytes.data + at + 20;
    block->utc_count = big_endian(counts, 4);
    block->standard_count = big_endian(counts + 4, 4);
    block->leap_count = big_endian(counts + 8, 4);
    block->time_count = big_endian(counts + 12, 4);
    block->type_count = big_endian(counts + 16, 4);
    block->character_count = big_endian(counts + 20, 4);
    *data_size = block->time_count * (time_size + 1U) + block->type_count * 6 +
                 block->character_count + block->leap_count * (time_size + 4U) +
                 block->standard_count + block->utc_count;
    return *data_size <= bytes.size - at - HEADER_SIZE;
}

static bool read_transitions(struct arena *arena, const char *data, const struct block *block,
                             struct plan_zone *zone, const char **reason)
{
    const char *types = data + block->time_count * 8, *offsets = types + block->time_count;
    int64_t last = INT64_MIN;
    uint32_t count = 0;

    for (uint64_t i = 0; i < block->type_count; i++) {
        int32_t offset = (int32_t)(uint32_t)big_endian(offsets + i * 6, 4);

        if (offset >= -OFFSET_LIMIT && offset <= OFFSET_LIMIT)
            continue;
        *reason = "it has an offset of more than a day";
        return false;
    }
    zone->transitions = arena_array(arena, block->time_count + 1, sizeof(*zone->transitions));
    zone->offsets = arena_array(arena, block->time_count + 1, sizeof(*zone->offsets));
    zone->offsets[0] = (int32_t)(uint32_t)big_endian(offsets, 4);
    for (uint64_t i = 0; i < block->time_count; i++) {
        int64_t time_s = (int64_t)big_endian(data + i * 8, 8);
        unsigned type = (unsigned char)types[i];

        if (type >= block->type_count || (i > 0 && time_s <= last) || time_s < -TIME_LIMIT ||
            time_s > TIME_LIMIT) {
            *reason = "its transitions are not in order";
            return false;
        }
        last = time_s;
        int32_t offset = (int32_t)(uint32_t)big_endian(offsets + type * 6U, 4);
        if (offset == zone->offsets[count])
            continue;
        zone->transitions[count++] = time_s;
        zone->offsets[count] = offset;
    }
    zone->transition_count = count;
    return true;
}

/* Some builders of the data write out decades that the rule says anyway, others do not (zic -b fat, -b slim). Without
 * them both give the same rule file. */
static void drop_ruled(struct plan_zone *zone)
{
    const struct plan_zone ruled = { .has_rule = true,
                                     .standard_s = zone->standard_s,
                                     .daylight_s = zone->daylight_s,
                                     .to_daylight = zone->to_daylight,
                                     .to_standard = zone->to_standard };

    for (uint32_t count; (count = zone->transition_count) > 1; zone->transition_count--) {
        int64_t start = zone->transitions[count - 2], end = zone->transitions[count - 1];

        if (end - start > 400 * DAY_S ||
            local_time_offset(&ruled, end) != zone->offsets[count] ||
            !local_time_rule_keeps(&ruled, start, end, zone->offsets[count - 1]))
            return;
    }
}

bool zone_read_bytes(struct arena *arena, struct slice bytes, struct plan_zone *zone,
                     const char **reason)
{
    struct block block;
    uint64_t size;

    if (!read_header(bytes, 0, 4, &block, &size)) {
        *reason = "it is no TZif file";
        return false;
    }
    if (bytes.data[4] < '2') {
        *reason = "it is of version 1, without 64-bit times";
        return false;
    }
    size_t at = HEADER_SIZE + (size_t)size;
    if (!read_header(bytes, at, 8, &block, &size) || block.type_count == 0) {
        *reason = "its 64-bit part is cut off";
        return false;
    }
    if (block.leap_count) {
        *reason = "it counts leap seconds, and the web's clocks do not";
        return false;
    }
    if (!read_transitions(arena, bytes.data + at + HEADER_SIZE, &block, zone, reason))
        return false;

    struct cursor footer = { .at = bytes.data + at + HEADER_SIZE + size,
                             .end = bytes.data + bytes.size };
    zone->has_rule = false;
    if (!skip(&footer, '\n')) {
        *reason = "its last line is missing";
        return false;
    }
    const char *end = memchr(footer.at, '\n', (size_t)(footer.end - footer.at));
    if (end == footer.at) /* RFC 8536, 3.3: nothing is known of what comes after */
        return true;
    if (!end || !zone_read_rule(slice_of(footer.at, (size_t)(end - footer.at)), zone)) {
        *reason = "the rule in its last line is not good";
        return false;
    }
    drop_ruled(zone);
    return true;
}

/* ---- the system's data ---- */

/* NULL: there is none. */
static const char *data_folder(void)
{
    static const char *const usual[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                         "/usr/share/lib/zoneinfo" };
    const char *named = getenv("TZDIR");
    struct stat status;

    if (named && *named)
        return stat(named, &status) == 0 && S_ISDIR(status.st_mode) ? named : NULL;
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (stat(usual[i], &status) == 0 && S_ISDIR(status.st_mode))
            return usual[i];
    }
    return NULL;
}

/* Letters, digits, "_", "-", "+" between single slashes, so no path leads out of the data. */
static bool is_zone_name(struct slice name)
{
    static const char *const machines[] = { "localtime",
                                            "posixrules" }; /* another zone on each machine */
    bool is_start = true;

    if (name.size == 0 || name.size > NAME_LIMIT)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char byte = name.data[i];
        bool is_word =
            is_digit(byte) || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');

        if (byte == '/' ? is_start : !is_word && (is_start || !strchr("_-+", byte)))
            return false;
        is_start = byte == '/';
    }
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        if (slice_equal(name, slice_from_string(machines[i])))
            return false;
    }
    return !is_start;
}

static enum zone_read_status read_file(struct arena *arena, const char *path,
                                       struct slice *bytes, const char **reason)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return ZONE_READ_UNKNOWN;
        *reason = arena_string(arena, slice_from_string(strerror(errno)));
        return ZONE_READ_BROKEN;
    }
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(file);
        return ZONE_READ_UNKNOWN; /* a folder: "Europe" */
    }
    size_t room = status.st_size < FILE_LIMIT ? (size_t)status.st_size : FILE_LIMIT, size = 0;
    char *data = arena_alloc(arena, room + 1);
    ssize_t step = 1;
    while (size < room && step > 0) {
        step = read(file, data + size, room - size);
        if (step > 0)
            size += (size_t)step;
        else if (step < 0 && errno == EINTR)
            step = 1;
    }
    int error = errno;
    close(file);
    if (step < 0) {
        *reason = arena_string(arena, slice_from_string(strerror(error)));
        return ZONE_READ_BROKEN;
    }
    *bytes = slice_of(data, size);
    return ZONE_READ_OK;
}

enum zone_read_status zone_read(struct arena *arena, struct slice name, struct plan_zone *zone,
                                const char **reason)
{
    const char *folder;
    struct slice bytes;

    if (slice_equal(name, SLICE("UTC"))) {
        zone->offsets = arena_array(arena, 1, sizeof(*zone->offsets));
        zone->transitions = NULL;
        zone->transition_count = 0;
        zone->has_rule = zone_read_rule(SLICE("UTC0"), zone);
        return ZONE_READ_OK;
    }
    if (!is_zone_name(name))
        return ZONE_READ_BAD_NAME;
    folder = data_folder();
    if (!folder)
        return ZONE_READ_NO_DATA;
    const char *path = arena_printf(arena, "%s/%.*s", folder, (int)name.size, name.data);
    enum zone_read_status status = read_file(arena, path, &bytes, reason);
    if (status != ZONE_READ_OK)
        return status;
    return zone_read_bytes(arena, bytes, zone, reason) ? ZONE_READ_OK : ZONE_READ_BROKEN;
}

/* The last part of a name: people know the city, not where the data puts it. */
static struct slice city_of(struct slice name)
{
    size_t at = name.size;

    while (at > 0 && name.data[at - 1] != '/')
        at--;
    return slice_of(name.data + at, name.size - at);
}

/* Names of one folder of the data, with what stands before them. What begins with a small letter is no zone. */
static void try_folder(struct arena *arena, struct suggest *suggest, const char *path,
                       const char *area)
{
    struct slice city = city_of(suggest->word);
    DIR *folder = opendir(path);
    struct dirent *entry;

    while (folder && (entry = readdir(folder)) != NULL) {
        struct slice found = slice_from_string(entry->d_name);

        if (entry->d_name[0] < 'A' || entry->d_name[0] > 'Z')
            continue;
        const char *whole = arena_printf(arena, "%s%s", area, entry->d_name);
        suggest_try(suggest, whole);
        if (*area && suggest_distance(found, city, 0) == 0) {
            suggest->best = whole;
            suggest->distance = 0;
        }
    }
    if (folder)
        closedir(folder);
}

const char *zone_read_nearest(struct arena *arena, struct slice name)
{
    static const char *const areas[] = { "",        "Africa/",   "America/",   "Antarctica/",
                                         "Asia/",   "Atlantic/", "Australia/", "Europe/",
                                         "Indian/", "Pacific/",  "Etc/" };
    const char *folder = data_folder();
    struct suggest suggest = { .word = name };

    for (size_t i = 0; folder && i < sizeof(areas) / sizeof(areas[0]); i++)
        try_folder(arena, &suggest, arena_printf(arena, "%s/%s", folder, areas[i]), areas[i]);
    return suggest.best;
}
