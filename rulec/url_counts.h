/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs come most often, in bounded memory: exact up to URL_COUNTS_LIMIT different ones;
 * past that those seen least are forgotten, which can cost a URL that comes often a little of
 * its count, and never adds to one. */
#ifndef RULEC_URL_COUNTS_H
#define RULEC_URL_COUNTS_H

#include "mod_redir307/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { URL_COUNTS_LIMIT = 65536 };

struct url_count {
    char *text;      /* "GET https://shop.example/a" */
    char *old, *new; /* answers of the first time */
    uint64_t hash, count;
};

struct url_counts {
    struct url_count *slots; /* open addressing; text NULL: free */
    uint64_t used;
    bool is_exact; /* nothing was forgotten */
};

void url_counts_init(struct url_counts *counts);
void url_counts_fini(struct url_counts *counts);
void url_counts_add(struct url_counts *counts, struct slice text, struct slice old,
                    struct slice new);
/* Sorts them, those of the highest count first, and returns how many there are; nothing can be
 * added any more. */
uint64_t url_counts_sort(struct url_counts *counts);

#endif
