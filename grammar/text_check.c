/* SPDX-License-Identifier: Apache-2.0 */
/* One fast pass over plain bytes; only where something else stands the slow one looks at
 * characters. Tab, line feed and carriage return are the control bytes that a text may have. */
#include "config.h"

#include "grammar/text_check.h"

enum {
    CHUNK_SIZE = 1 << 12,
    BINARY_SIZE = 64, /* a file's start, which holds a NUL byte where it is no text */
    MAGIC_SIZE = 4    /* bytes that tell of its kind */
};

/* Bytes of the well-formed UTF-8 character (RFC 3629) at `text`, of which `size` bytes are there; 0: it is none.
 * The least second byte that each first byte may have, and the greatest, are where overlong
 * forms, surrogates and what lies above U+10FFFF are kept out. */
static size_t character_size(const char *text, size_t size)
{
    const unsigned char *byte = (const unsigned char *)text;
    unsigned char least = 0x80, greatest = 0xBF;
    size_t wanted;

    if (size == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    if (byte[0] >= 0xC2 && byte[0] <= 0xDF)
        wanted = 2;
    else if ((byte[0] & 0xF0) == 0xE0)
        wanted = 3;
    else if (byte[0] >= 0xF0 && byte[0] <= 0xF4)
        wanted = 4;
    else
        return 0;
    if (byte[0] == 0xE0)
        least = 0xA0;
    else if (byte[0] == 0xED)
        greatest = 0x9F;
    else if (byte[0] == 0xF0)
        least = 0x90;
    else if (byte[0] == 0xF4)
        greatest = 0x8F;
    if (size < wanted || byte[1] < least || byte[1] > greatest)
        return 0;
    for (size_t i = 2; i < wanted; i++)
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
    return wanted;
}

static bool is_plain(unsigned char c)
{
    return (c >= 0x20 && c < 0x7F) || c == '\t' || c == '\n' || c == '\r';
}

/* Bytes from `at` on that need no second look. The loop has no exit inside a chunk, so that it
 * runs at the speed of memory. */
static size_t skip_plain(struct slice text, size_t at)
{
    while (text.size - at >= CHUNK_SIZE) {
        const unsigned char *byte = (const unsigned char *)text.data + at;
        unsigned char odd = 0; /* no wider than what is looked at: more bytes go into a vector */

        for (size_t i = 0; i < CHUNK_SIZE; i++)
            odd |= (unsigned char)((unsigned char)(byte[i] - 0x20) >= 0x5F && byte[i] != '\t' && byte[i] != '\n' &&
                                   byte[i] != '\r');
        if (odd != 0)
            break;
        at += CHUNK_SIZE;
    }
    return at;
}

/* By its mark; or, without one, where every other byte of the first two characters is NUL. */
static bool is_utf16(struct slice text)
{
    const char *byte = text.data;

    return slice_starts_with(text, SLICE("\xFF\xFE")) || slice_starts_with(text, SLICE("\xFE\xFF")) ||
           (text.size >= 4 && !byte[0] == !byte[2] && !byte[1] == !byte[3] && !byte[0] != !byte[1]);
}

/* A rule file, an archive, a spreadsheet: their first bytes hold one beside NUL that no text has, so that nobody takes
 * them for text. */
static bool is_binary(struct slice text)
{
    if (text.size < BINARY_SIZE || memchr(text.data, '\0', BINARY_SIZE) == NULL)
        return false;
    for (size_t at = 0; at < MAGIC_SIZE; at++) {
        unsigned char byte = (unsigned char)text.data[at];

        if (byte < 0x80 ? byte && !is_plain(byte) : character_size(text.data + at, text.size - at) == 0)
            return true;
    }
    return false;
}

static void report_byte(struct diag *diag, const struct source *source, size_t at)
{
    unsigned char byte = (unsigned char)source->text.data[at];
    uint32_t place = source->at + (uint32_t)at;
    struct span span = { place, place + 1 };

    if (byte == 0) {
        diag_error(diag, DIAG_CONTROL_BYTE, span, "a NUL byte is no text");
    } else if (byte < 0x80) {
        diag_error(diag, DIAG_CONTROL_BYTE, span, "the control byte 0x%02X is no text",
                   (unsigned)byte);
    } else {
        diag_error(diag, DIAG_BAD_UTF8, span, "the byte 0x%02X here is no UTF-8",
                   (unsigned)byte);
        diag_help(diag, "save the file as UTF-8, or write the byte as %%%02X in a path",
                  (unsigned)byte);
    }
}

bool text_check(struct diag *diag, const struct source_set *sources,
                const struct source *source)
{
    struct slice text = source->text;
    char *buffer = source_buffer(sources, source);
    bool is_line_reported = false;

    if (is_utf16(text)) {
        diag_error(diag, DIAG_BAD_UTF8, (struct span){ source->at, source->at + 1 },
                   "this file is UTF-16, not UTF-8");
        diag_help(diag, "save it as UTF-8");
        return false;
    }
    if (is_binary(text)) {
        diag_error(diag, DIAG_CONTROL_BYTE, (struct span){ source->at, source->at + 1 }, "this file is no text");
        diag_help(diag, "rules and tables are text in UTF-8; \"rulec dump\" writes a rule file back as rules");
        return false;
    }
    for (size_t at = skip_plain(text, 0), chunk_end = at + CHUNK_SIZE; at < text.size;) {
        unsigned char byte = (unsigned char)text.data[at];
        size_t size = is_plain(byte) ? 1
                      : byte < 0x80  ? 0
                                     : character_size(text.data + at, text.size - at);

        if (size == 0) {
            if (!is_line_reported)
                report_byte(diag, source, at);
            is_line_reported = true;
            if (byte == 0 && buffer != NULL)
                buffer[at] = 1;
            size = 1;
        } else if (byte == '\n') {
            is_line_reported = false;
        }
        at += size;
        if (at >= chunk_end) {
            at = skip_plain(text, at);
            chunk_end = at + CHUNK_SIZE;
        }
    }
    return true;
}
