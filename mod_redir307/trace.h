/* SPDX-License-Identifier: Apache-2.0 */
/* A decision in words: the same lines in httpd's log (trace3) and, on a terminal, from `rulec
 * explain`. Each function writes one line without its end into `line`, cut to `size` with a
 * NUL, and returns its bytes. */
#ifndef MOD_REDIR307_TRACE_H
#define MOD_REDIR307_TRACE_H

#include "mod_redir307/answer.h"

enum { TRACE_LINE_SIZE = 1024 };

/* "shop.redir:12"; "?" where the rule's place is not known. */
size_t trace_place(const struct ruleset *ruleset, uint32_t place, char *line, size_t size);

/* The same for a place that was read; no line needs more than TRACE_WHERE_EXTRA bytes beyond the
 * source's name. */
enum { TRACE_WHERE_EXTRA = 12 };
size_t trace_where(const struct ruleset_place *where, char *line, size_t size);

/* "shop.redir:12: answers": what answer_trace's callback is told. */
size_t trace_candidate(const struct ruleset *ruleset, uint32_t place, const char *why,
                       char *line, size_t size);

/* "POST https://shop.example/pay": what is asked. A port that is not the scheme's is shown. */
size_t trace_request(const struct request_key *key, char *line, size_t size);

/* "307 https://pay.example/ by shop.redir:12", "passed on by shop.redir:14", "passed on: no
 * rule". */
size_t trace_answer(const struct ruleset *ruleset, const struct answer *answer, char *line,
                    size_t size);

#endif
