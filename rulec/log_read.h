/* SPDX-License-Identifier: Apache-2.0 */
/* Requests out of a log: lines of the common, combined and vhost_combined formats of httpd,
 * request lines (`GET /a HTTP/1.1`), and `METHOD URL`. Packed files (.gz) are read as they are.
 * */
#ifndef RULEC_LOG_READ_H
#define RULEC_LOG_READ_H

#include "mod_redir307/slice.h"

#include <stdbool.h>

enum { LOG_LINE_LIMIT = 1 << 20 }; /* bytes; longer lines are cut off there */

struct log_reader;

/* `-` is standard input. NULL: *reason (strerror text). */
struct log_reader *log_reader_open(const char *path, const char **reason);
/* The next line without its end; valid until the next call. False: the end, or *reason is set.
 * */
bool log_reader_next(struct log_reader *reader, struct slice *line, const char **reason);
void log_reader_close(struct log_reader *reader);

/* Slices of the line, or of `buffer`. */
struct log_request {
    struct slice method;
    struct slice target; /* path and query, or a URL */
    bool is_url;         /* written as METHOD URL: a leading "//" is a host */
    struct slice host;   /* "shop.example:443" where the log has it; else empty */
    struct slice client; /* what stands in its place: an address, a name, "-"; else empty */
};

/* `buffer` has room for the line. False: there is no request in it. */
bool log_request_read(struct slice line, char *buffer, struct log_request *request);

#endif
