/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests of a log two rule files answer otherwise. */
#ifndef RULEC_DIFF_LOG_H
#define RULEC_DIFF_LOG_H

#include "mod_redir307/ruleset.h"
#include "rulec/request_facts.h"
#include "rulec/request_text.h"
#include "rulec/url_counts.h"

struct diff_log {
    uint64_t requests;
    uint64_t unread;  /* lines without a request */
    uint64_t changed; /* requests with another status or target; both passing is the same */
    struct url_counts urls;
};

struct diff_log_options {
    const struct request_base *base;   /* of URLs without a host */
    const struct request_facts *facts; /* what no log says */
    bool takes_client; /* the client's address is that of the line, where it is one */
};

/* diff_log_fini() is due in every case. False: *reason says why it cannot be read. */
bool diff_log_run(struct diff_log *log, const char *path, const struct ruleset *old,
                  const struct ruleset *new, const struct diff_log_options *options,
                  const char **reason);
void diff_log_fini(struct diff_log *log);

#endif
