/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest TAP writer that unit tests in C need: claims, comparisons that print both sides (on standard error,
 * where prove shows them), a plan at the end.
 * A test file is one program: main() calls one function a behaviour and returns tap_done(). Header only, so a test
 * stays one library + one file. */
#ifndef T_LIB_TAP_H
#define T_LIB_TAP_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned tap_count;
static unsigned tap_failed;

/* One claim, named by what it promises. Returns `holds`, so that a test can stop where going on makes no sense. */
static inline bool tap_ok_at(const char *file, int line, bool holds, const char *name)
{
    tap_count++;
    printf("%sok %u - %s\n", holds ? "" : "not ", tap_count, name);
    if (!holds) {
        tap_failed++;
        fflush(stdout);
        fprintf(stderr, "# failed: %s, at %s:%d\n", name, file, line);
    }
    fflush(stdout);
    return holds;
}

/* Bytes as a C string would be written, so that a difference can be seen. */
static inline void tap_show(const char *label, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;

    fprintf(stderr, "#   %s \"", label);
    for (size_t i = 0; i < size; i++) {
        if (byte[i] >= 0x20 && byte[i] < 0x7f && byte[i] != '"' && byte[i] != '\\')
            putc(byte[i], stderr);
        else
            fprintf(stderr, "\\x%02x", byte[i]);
    }
    fprintf(stderr, "\" (%zu bytes)\n", size);
}

static inline bool tap_bytes_at(const char *file, int line, const void *got, size_t got_size, const void *want,
                                size_t want_size, const char *name)
{
    bool same = got_size == want_size && (want_size == 0 || memcmp(got, want, want_size) == 0);

    if (!tap_ok_at(file, line, same, name)) {
        tap_show("got ", got, got_size);
        tap_show("want", want, want_size);
    }
    return same;
}

static inline bool tap_number_at(const char *file, int line, intmax_t got, intmax_t want, const char *name)
{
    if (!tap_ok_at(file, line, got == want, name))
        fprintf(stderr, "#   got  %" PRIdMAX "\n#   want %" PRIdMAX "\n", got, want);
    return got == want;
}

#define ok(holds, name) tap_ok_at(__FILE__, __LINE__, (holds), (name))
#define is_number(got, want, name) tap_number_at(__FILE__, __LINE__, (intmax_t)(got), (intmax_t)(want), (name))
#define is_bytes(got, got_size, want, want_size, name) \
    tap_bytes_at(__FILE__, __LINE__, (got), (got_size), (want), (want_size), (name))
/* A `struct slice` (or anything with data and size) against a string literal or other string that ends in NUL. */
#define is_slice(got, want, name) \
    tap_bytes_at(__FILE__, __LINE__, (got).data, (got).size, (want), strlen(want), (name))
#define is_string(got, want, name) \
    tap_bytes_at(__FILE__, __LINE__, (got), strlen(got), (want), strlen(want), (name))

static inline void tap_note(const char *text)
{
    printf("# %s\n", text);
}

/* The plan, and what main() returns: 0 where everything held and something was asked. */
static inline int tap_done(void)
{
    printf("1..%u\n", tap_count);
    return tap_failed != 0 || tap_count == 0;
}

#endif
