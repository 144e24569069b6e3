/* SPDX-License-Identifier: Apache-2.0 */
/* What the status page tells, collected by mod_redir307_status.c and written by
 * mod_redir307_status_pages.c. All texts are valid UTF-8 without controls, and live as long as
 * the request. */
#ifndef MOD_REDIR307_MOD_REDIR307_STATUS_H
#define MOD_REDIR307_MOD_REDIR307_STATUS_H

#include "mod_redir307/mod_redir307.h"

/* A rule by its place: where it answers for several sites, the sum. */
struct status_rule {
    uint32_t place;
    uint64_t hits;
    int64_t last_used_s;
    const char *where; /* "shop.redir:12" */
    const char *note;  /* empty: none */
    const char *owner; /* likewise */
};

struct status_file {
    const char *path;
    bool has_rules;        /* the next five are known */
    const char *id;
    uint64_t rules, size;
    apr_time_t loaded_at;
    unsigned serial;       /* of the map, in this process */
    bool is_copy;
    bool is_refused;       /* what stands at the path now is bad */
    const char *error;     /* the last reason for that; empty: there was none */
    apr_time_t error_at;
    uint64_t loads, failures;
    struct status_rule *top; /* most hits first */
    unsigned top_count;
};

struct status {
    long pid;
    apr_time_t now;
    struct hits_sum hits;
    struct status_file *files;
    unsigned file_count;
};

void status_write_html(request_rec *r, const struct status *status);
void status_write_json(request_rec *r, const struct status *status);
void status_write_prometheus(request_rec *r, const struct status *status);

#endif
