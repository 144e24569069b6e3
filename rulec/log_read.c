/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, and what is a request in them. httpd writes quotes, backslashes and control bytes of a
 * request line as \" \\ and \xhh (ap_escape_logitem). */
#include "config.h"

#include "rulec/log_read.h"

#include "grammar/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct log_reader {
    gzFile file;
    char *block;
    size_t at, size;
    bool is_at_end, skips; /* skips: the rest of a line that is too long */
};

struct log_reader *log_reader_open(const char *path, const char **reason)
{
    int file = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
                                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct log_reader *reader;
    struct stat status;
    gzFile packed;

    if (file < 0 || fstat(file, &status) != 0 || S_ISDIR(status.st_mode)) {
        *reason = file >= 0 && S_ISDIR(status.st_mode) ? strerror(EISDIR) : strerror(errno);
        if (file >= 0)
            close(file);
        return NULL;
    }
    packed = gzdopen(file, "rb");
    if (!packed) {
        *reason = strerror(ENOMEM);
        close(file);
        return NULL;
    }
    gzbuffer(packed, 1 << 17);
    reader = memory_resize(NULL, 1, sizeof *reader);
    *reader =
        (struct log_reader){ .file = packed, .block = memory_resize(NULL, LOG_LINE_LIMIT, 1) };
    return reader;
}

void log_reader_close(struct log_reader *reader)
{
    gzclose(reader->file);
    free(reader->block);
    free(reader);
}

static bool fill(struct log_reader *reader, const char **reason)
{
    int got, code;

    memmove(reader->block, reader->block + reader->at, reader->size - reader->at);
    reader->size -= reader->at;
    reader->at = 0;
    got = gzread(reader->file, reader->block + reader->size,
                 (unsigned)(LOG_LINE_LIMIT - reader->size));
    if (got < 0) {
        const char *why = gzerror(reader->file, &code);

        *reason = code == Z_ERRNO ? strerror(errno) : why;
        return false;
    }
    reader->size += (size_t)got;
    reader->is_at_end = got == 0;
    return true;
}

bool log_reader_next(struct log_reader *reader, struct slice *line, const char **reason)
{
    for (;;) {
        char *start = reader->block + reader->at,
             *end = memchr(start, '\n', reader->size - reader->at);
        bool is_cut = !end && reader->at == 0 && reader->size == LOG_LINE_LIMIT;

        if (!end && !is_cut && !reader->is_at_end) {
            if (!fill(reader, reason))
                return false;
            continue;
        }
        if (!end && reader->at == reader->size)
            return false;
        *line = slice_of(start, (size_t)((end ? end : reader->block + reader->size) - start));
        reader->at += line->size + (end != NULL);
        *line = slice_without_cr(*line);
        if (!reader->skips) {
            reader->skips = is_cut;
            return true;
        }
        reader->skips = !end && !reader->is_at_end;
    }
}

/* ---- requests ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* What stands between the quotes at the start of `text`; empty where there are none. */
static struct slice unquote(struct slice text, char *buffer)
{
    size_t size = 0;

    for (size_t i = 1; i < text.size; i++) {
        char byte = text.data[i];

        if (byte == '"')
            return slice_of(buffer, size);
        if (byte != '\\' || i + 1 == text.size) {
            buffer[size++] = byte;
        } else if (text.data[i + 1] == 'x' && i + 3 < text.size &&
                   hex_digit(text.data[i + 2]) >= 0 && hex_digit(text.data[i + 3]) >= 0) {
            buffer[size++] =
                (char)(hex_digit(text.data[i + 2]) << 4 | hex_digit(text.data[i + 3]));
            i += 3;
        } else {
            buffer[size++] = text.data[++i];
        }
    }
    return slice_of(buffer, 0);
}

/* METHOD TARGET [HTTP/...] */
static bool read_request_line(struct slice text, struct log_request *request)
{
    struct slice version;

    request->method = slice_next_word(&text);
    request->target = slice_next_word(&text);
    version = slice_next_word(&text);
    request->is_url = version.size == 0;
    return request->target.size &&
           (version.size == 0 || slice_starts_with(version, SLICE("HTTP/"))) &&
           slice_next_word(&text).size == 0;
}

/* The quote that opens the request: it follows the time, `[...] "`. */
static const char *find_request(struct slice line)
{
    const char *end = line.data + line.size;

    for (const char *at = line.data; (at = memchr(at, ']', (size_t)(end - at))) != NULL; at++)
        if (end - at > 2 && at[1] == ' ' && at[2] == '"')
            return at + 2;
    return NULL;
}

bool log_request_read(struct slice line, char *buffer, struct log_request *request)
{
    const char *quote = find_request(line);
    struct slice head, words[4];
    unsigned count = 0;

    *request = (struct log_request){ .is_url = false };
    if (!quote)
        return read_request_line(line, request);
    head = slice_of(line.data, (size_t)(quote - line.data));
    for (; count < 4; count++) {
        words[count] = slice_next_word(&head);
        if (words[count].size == 0 || words[count].data[0] == '[')
            break;
    }
    /* client, identity, user; and the host before them in vhost_combined. */
    if (count == 4)
        request->host = words[0];
    if (count >= 3)
        request->client = words[count - 3];
    if (!read_request_line(
            unquote(slice_of(quote, (size_t)(line.data + line.size - quote)), buffer), request))
        return false;
    request->is_url = false; /* HTTP/0.9, which names no version */
    return true;
}
