/* SPDX-License-Identifier: Apache-2.0 */
/* Collects messages about the rules and prints them in source order. People's mistakes only:
 * failures of the machine are return values. Codes: grammar/diag_codes.def. */
#ifndef GRAMMAR_DIAG_H
#define GRAMMAR_DIAG_H

#include "grammar/source.h"

#include <stdbool.h>
#include <stdio.h>

/* diag_codes.def: DIAG_CODE(NAME, number, severity, "short description") */
enum diag_code {
#define DIAG_CODE(name, number, severity, text) DIAG_##name = number,
#include "grammar/diag_codes.def"
#undef DIAG_CODE
};

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

/* Further errors are counted, not kept; of warnings those of one code, so that no kind hides another. */
enum { DIAG_LIMIT = 100 };

struct diag;

struct diag *diag_open(struct arena *arena, const struct source_set *sources);

/* Text: lower case, no full stop, the user's word in quotes, the reason included. The severity
 * is the code's. The last message takes the notes and helps that follow it. */
void diag_error(struct diag *diag, enum diag_code code, struct span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_warning(struct diag *diag, enum diag_code code, struct span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_note(struct diag *diag, struct span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What to write instead; without a place of its own. */
void diag_help(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A warning of this code whose place lies in `block` is silent (clause `allow`), also one that
 * is already there. */
void diag_allow(struct diag *diag, enum diag_code code, struct span block);
/* For checks that sum up: what is allowed there is not counted either. */
bool diag_is_allowed(const struct diag *diag, enum diag_code code, struct span span);
void diag_warnings_are_errors(struct diag *diag);
/* Warnings of this one code are errors from now on; a second call replaces the code. */
void diag_raise(struct diag *diag, enum diag_code code);

size_t diag_error_count(const struct diag *diag);
size_t diag_warning_count(const struct diag *diag);

/* "loop" from LOOP, as `allow loop` and docs name it ("_" becomes "-"); number as printed:
 * R307-041. */
const char *diag_code_name(enum diag_code code);
bool diag_code_find(struct slice name_or_number, enum diag_code *code);
enum diag_severity diag_code_severity(enum diag_code code);
const char *diag_code_text(enum diag_code code);
size_t diag_code_list(const enum diag_code **codes);

/* One finding, for every output format. Notes and helps hang on it in order. */
struct diag_note {
    struct span span; /* {0, 0} for a help */
    bool is_help;
    const char *text;
    struct diag_note *next;
};
struct diag_message {
    enum diag_severity severity;
    enum diag_code code;
    struct span span;
    const char *text;
    struct diag_note *notes;
};
/* Sorted by place; messages of equal place in the order they were made. */
size_t diag_messages(struct diag *diag, const struct diag_message **messages);

/* What the places of the messages are places in. */
const struct source_set *diag_sources(const struct diag *diag);

/* shop.redir:12:14: error: ... [R307-041], the line, carets, notes, helps. */
void diag_print_text(struct diag *diag, FILE *out, bool colored);

#endif
