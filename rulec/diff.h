/* SPDX-License-Identifier: Apache-2.0 */
/* What is different between two rule files, for those who ask: rules are compared host by host
 * and source by source, wherever they are written. Not compared: notes, owners, places, and the
 * order of different sources of equal rank. */
#ifndef RULEC_DIFF_H
#define RULEC_DIFF_H

#include "rulec/diff_rows.h"

enum diff_kind { DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED };
enum diff_part { /* bits: what a changed rule does otherwise */
                 DIFF_TARGET = 1,
                 DIFF_STATUS = 2,
                 DIFF_CONDITIONS = 4,
                 DIFF_SETTINGS = 8, /* query, cache, fields, case, slash, preflights */
                 DIFF_ORDER = 16    /* of the rules with this source */
};
enum { DIFF_PART_COUNT = 5 };

struct diff_change {
    enum diff_kind kind;
    unsigned parts;             /* CHANGED: enum diff_part */
    const struct diff_row *old; /* NULL: ADDED */
    const struct diff_row *new; /* NULL: REMOVED */
    const char *source;         /* as a rule has it */
    /* One of the site's hosts, where its name was made from a closed set; NULL: none. */
    const struct ruleset_host_view *old_host, *new_host;
};

/* Hosts that have the same rules in the old file, and the same rules in the new one. */
struct diff_site {
    const char *hosts; /* "shop.example.com *.example.org:8080" */
    bool is_override;
    const struct diff_change *changes; /* by source */
    size_t change_count;
};

struct diff_counts {
    uint64_t added, removed, changed, alike;
    uint64_t
        parts[DIFF_PART_COUNT]; /* changed rules with that part: by the number of its bit */
};

/* Calls `site` for each that has changes. */
void diff_run(const struct diff_rows *old, const struct diff_rows *new,
              void (*site)(void *baton, const struct diff_site *site), void *baton,
              struct diff_counts *counts);

#endif
