/* SPDX-License-Identifier: Apache-2.0 */
/* Collects findings; printing them is left to diag_text.c and to other formats. Bounded: past
 * the limit errors and warnings are counted only, and a message holds no more text than
 * somebody would read. */
#include "config.h"

#include "grammar/diag.h"

#include <stdarg.h>
#include <stdlib.h>

enum {
    TEXT_LIMIT = 600, /* bytes of one message: it may quote a word of any length */
    NAME_SIZE = 64
};

struct allowed {
    enum diag_code code;
    struct span block;
};

/* A message and when it came: what sorting needs to keep those of one place in order. */
struct kept {
    struct diag_message message;
    struct diag_note **last_note;
    size_t order;
};

enum { CODE_LIMIT = 1000 }; /* codes have three digits */

struct diag {
    struct arena *arena;
    const struct source_set *sources;
    struct kept *kept;
    size_t kept_count, kept_capacity;
    size_t order;     /* messages so far that were kept */
    bool takes_notes; /* the last message was kept, so what follows belongs to it */
    size_t counts[2]; /* by severity, the ones past the limit too */
    size_t kept_errors;
    size_t kept_warnings[CODE_LIMIT]; /* by code */
    bool warnings_are_errors;
    enum diag_code raised; /* 0: none */
    struct allowed *allowed;
    size_t allowed_count, allowed_capacity;
    struct diag_message *sorted; /* of the last time somebody asked */
};

static const struct code_entry {
    enum diag_code code;
    enum diag_severity severity;
    const char *name; /* as in the list: LOOP */
    const char *text;
} code_entries[] = {
#define DIAG_CODE(name, number, severity, text) { DIAG_##name, DIAG_##severity, #name, text },
#include "grammar/diag_codes.def"
#undef DIAG_CODE
};
enum { CODE_COUNT = sizeof(code_entries) / sizeof(code_entries[0]) };

/* Filled on first use; always with the same bytes. */
static char code_names[CODE_COUNT][NAME_SIZE];
static enum diag_code code_numbers[CODE_COUNT];

struct diag *diag_open(struct arena *arena, const struct source_set *sources)
{
    struct diag *diag = arena_alloc(arena, sizeof(*diag));

    diag->arena = arena;
    diag->sources = sources;
    return diag;
}

static const struct code_entry *find_entry(enum diag_code code)
{
    for (size_t i = 0; i < CODE_COUNT; i++)
        if (code_entries[i].code == code)
            return &code_entries[i];
    return &code_entries[0];
}

/* Twice the room where there is none left; the old items stay where they are, in the arena. */
static void *make_room(struct arena *arena, const void *items, size_t count, size_t *capacity,
                       size_t size)
{
    void *larger;

    *capacity = *capacity != 0 ? *capacity * 2 : 16;
    larger = arena_array(arena, *capacity, size);
    if (count != 0)
        memcpy(larger, items, count * size);
    return larger;
}

/* The bytes of the character at `text`, 1 where it is no UTF-8. */
static size_t character_size(const unsigned char *text, size_t left)
{
    size_t size = *text < 0xC2 ? 1 : *text < 0xE0 ? 2 : *text < 0xF0 ? 3 : *text < 0xF5 ? 4 : 1;

    if (size > left)
        return 1;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 1;
    return size;
}

/* A message may quote any bytes: what is no text becomes "?", and a long one is cut between
 * characters. */
__attribute__((format(printf, 2, 0))) static const char *
make_text(struct arena *arena, const char *format, va_list arguments)
{
    char text[TEXT_LIMIT];
    char clean[TEXT_LIMIT + sizeof("...")];
    size_t size, used = 0;
    int whole = vsnprintf(text, sizeof(text), format, arguments);
    bool is_cut = whole >= (int)sizeof(text);

    size = whole < 0 ? 0 : is_cut ? sizeof(text) - 1 : (size_t)whole;
    for (size_t at = 0; at < size;) {
        const unsigned char *here = (const unsigned char *)text + at;
        size_t step = character_size(here, size - at);

        if (step == 1 && (*here < 0x20 || *here >= 0x7F)) {
            if (!is_cut || at + 4 < size)
                clean[used++] = '?';
        } else {
            memcpy(clean + used, here, step);
            used += step;
        }
        at += step;
    }
    if (is_cut) {
        memcpy(clean + used, "...", 3);
        used += 3;
    }
    return arena_string(arena, slice_of(clean, used));
}

static bool lies_in(struct span span, struct span block)
{
    return span.at >= block.at && span.at < block.end;
}

bool diag_is_allowed(const struct diag *diag, enum diag_code code, struct span span)
{
    for (size_t i = 0; i < diag->allowed_count; i++) {
        const struct allowed *allowed = &diag->allowed[i];

        if (allowed->code == code && lies_in(span, allowed->block))
            return true;
    }
    return false;
}

__attribute__((format(printf, 4, 0))) static void
add_message(struct diag *diag, enum diag_code code, struct span span, const char *format,
            va_list arguments)
{
    enum diag_severity severity = find_entry(code)->severity;
    struct kept *kept;

    diag->takes_notes = false;
    if (severity == DIAG_WARNING && diag_is_allowed(diag, code, span))
        return;
    if (code == diag->raised)
        severity = DIAG_ERROR;
    diag->counts[severity]++;
    size_t *count = severity == DIAG_ERROR ? &diag->kept_errors : &diag->kept_warnings[code];
    if (*count >= DIAG_LIMIT)
        return;
    ++*count;
    if (diag->kept_count == diag->kept_capacity)
        diag->kept = make_room(diag->arena, diag->kept, diag->kept_count, &diag->kept_capacity,
                               sizeof(*diag->kept));
    kept = &diag->kept[diag->kept_count++];
    kept->message = (struct diag_message){ .severity = severity,
                                           .code = code,
                                           .span = span,
                                           .text = make_text(diag->arena, format, arguments) };
    kept->last_note = NULL;
    kept->order = ++diag->order;
    diag->takes_notes = true;
}

void diag_error(struct diag *diag, enum diag_code code, struct span span, const char *format,
                ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_message(diag, code, span, format, arguments);
    va_end(arguments);
}

void diag_warning(struct diag *diag, enum diag_code code, struct span span, const char *format,
                  ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_message(diag, code, span, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 3, 0))) static void
add_note(struct diag *diag, const struct diag_note *note, const char *format, va_list arguments)
{
    struct kept *kept;
    struct diag_note *added;

    if (!diag->takes_notes)
        return;
    kept = &diag->kept[diag->kept_count - 1];
    added = arena_alloc(diag->arena, sizeof(*added));
    *added = *note;
    added->text = make_text(diag->arena, format, arguments);
    /* The array of messages moves as it grows, so the first note hangs on the message itself. */
    *(kept->last_note != NULL ? kept->last_note : &kept->message.notes) = added;
    kept->last_note = &added->next;
}

void diag_note(struct diag *diag, struct span span, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_note(diag, &(struct diag_note){ .span = span }, format, arguments);
    va_end(arguments);
}

void diag_help(struct diag *diag, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_note(diag, &(struct diag_note){ .is_help = true }, format, arguments);
    va_end(arguments);
}

/* Warnings about what is read come before anybody knows what is allowed. */
static void drop_allowed(struct diag *diag, enum diag_code code, struct span block)
{
    size_t count = 0;

    for (size_t i = 0; i < diag->kept_count; i++) {
        const struct diag_message *message = &diag->kept[i].message;

        if (message->code == code && lies_in(message->span, block)) {
            diag->counts[message->severity]--;
            --*(message->severity == DIAG_ERROR ? &diag->kept_errors : &diag->kept_warnings[code]);
        } else {
            diag->kept[count++] = diag->kept[i];
        }
    }
    diag->kept_count = count;
    diag->takes_notes = false;
}

void diag_allow(struct diag *diag, enum diag_code code, struct span block)
{
    drop_allowed(diag, code, block);
    if (diag->allowed_count == diag->allowed_capacity)
        diag->allowed = make_room(diag->arena, diag->allowed, diag->allowed_count,
                                  &diag->allowed_capacity, sizeof(*diag->allowed));
    diag->allowed[diag->allowed_count++] = (struct allowed){ .code = code, .block = block };
}

void diag_raise(struct diag *diag, enum diag_code code)
{
    diag->raised = code;
}

void diag_warnings_are_errors(struct diag *diag)
{
    diag->warnings_are_errors = true;
}

size_t diag_error_count(const struct diag *diag)
{
    return diag->counts[DIAG_ERROR] +
           (diag->warnings_are_errors ? diag->counts[DIAG_WARNING] : 0);
}

size_t diag_warning_count(const struct diag *diag)
{
    return diag->warnings_are_errors ? 0 : diag->counts[DIAG_WARNING];
}

static const char *entry_name(size_t index)
{
    char *name = code_names[index];

    if (name[0] == '\0')
        for (size_t i = 0; code_entries[index].name[i] != '\0' && i < NAME_SIZE - 1; i++) {
            char c = code_entries[index].name[i];

            name[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
    return name;
}

const char *diag_code_name(enum diag_code code)
{
    return entry_name((size_t)(find_entry(code) - code_entries));
}

bool diag_code_find(struct slice name_or_number, enum diag_code *code)
{
    char number[sizeof("R307-000000")];

    for (size_t i = 0; i < CODE_COUNT; i++) {
        snprintf(number, sizeof(number), "R307-%03d", (int)code_entries[i].code);
        if (slice_equal(name_or_number, slice_from_string(number)) ||
            slice_equal(name_or_number, slice_from_string(entry_name(i)))) {
            *code = code_entries[i].code;
            return true;
        }
    }
    return false;
}

enum diag_severity diag_code_severity(enum diag_code code)
{
    return find_entry(code)->severity;
}

const char *diag_code_text(enum diag_code code)
{
    return find_entry(code)->text;
}

size_t diag_code_list(const enum diag_code **codes)
{
    for (size_t i = 0; i < CODE_COUNT; i++)
        code_numbers[i] = code_entries[i].code;
    *codes = code_numbers;
    return CODE_COUNT;
}

static int compare_kept(const void *left, const void *right)
{
    const struct kept *a = left;
    const struct kept *b = right;

    if (a->message.span.at != b->message.span.at)
        return a->message.span.at < b->message.span.at ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

size_t diag_messages(struct diag *diag, const struct diag_message **messages)
{
    struct kept *sorted;

    if (diag->kept_count == 0) {
        *messages = NULL;
        return 0;
    }
    /* A copy: the last message may still take notes. */
    sorted = arena_array(diag->arena, diag->kept_count, sizeof(*sorted));
    memcpy(sorted, diag->kept, diag->kept_count * sizeof(*sorted));
    qsort(sorted, diag->kept_count, sizeof(*sorted), compare_kept);
    diag->sorted = arena_array(diag->arena, diag->kept_count, sizeof(*diag->sorted));
    for (size_t i = 0; i < diag->kept_count; i++) {
        diag->sorted[i] = sorted[i].message;
        if (diag->warnings_are_errors)
            diag->sorted[i].severity = DIAG_ERROR;
    }
    *messages = diag->sorted;
    return diag->kept_count;
}

const struct source_set *diag_sources(const struct diag *diag)
{
    return diag->sources;
}
