/* SPDX-License-Identifier: Apache-2.0 */
/* Options that describe a request: the same for answer and explain. */
#ifndef RULEC_COMMAND_REQUEST_H
#define RULEC_COMMAND_REQUEST_H

#include "rulec/command.h"
#include "rulec/request_facts.h"
#include "rulec/request_text.h"

/* Rows of a table of options. */
#define COMMAND_REQUEST_OPTIONS \
    { "base", NULL, "URL", "scheme and host of URLs without a host: https://shop.example; unsaid: http, no host" }, \
    { "header", "H", "FIELD", "a field of the request: 'Host: h.example'; may be given several times" }, \
    { "at", NULL, "TIME", "the time of the request: 2026-12-01T00:00Z; unsaid: now" }, \
    { "client", NULL, "ADDRESS", "the client's address; unsaid: 192.0.2.1" }, \
    { "flag", NULL, "NAME", "an operator's flag that is on; may be given several times" }, \
    { "env", NULL, "NAME=VALUE", "a variable of the server's environment; may be given several times" }, \
    { "chance", NULL, "PERCENT", "the draw of `chance`, 0% to 100%; unsaid: random" }, \
    { "busy", NULL, "PERCENT", "the share of workers that are busy; unsaid: 0%" }

struct command_request {
    struct request_base base;
    struct request_facts facts;
};

/* Reads these options; what lasts is taken from the arena. COMMAND_USAGE: the message is printed. */
enum command_status command_request_read(const struct command_line *line, struct arena *arena,
                                         struct command_request *request);

#endif
