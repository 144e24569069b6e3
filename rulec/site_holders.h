/* SPDX-License-Identifier: Apache-2.0 */
/* For each host of a site: which sites have rules that may be asked before the site's own there. For proofs;
 * docs/language.md, "Which rule wins", is the law. */
#ifndef RULEC_SITE_HOLDERS_H
#define RULEC_SITE_HOLDERS_H

#include "rulec/plan.h"

/* What of a site comes before; each says more than the one above it. */
enum site_holder_kind {
    SITE_HOLDER_OVERRIDES, /* a wider host: its overrides before what is none */
    SITE_HOLDER_ALIKE,     /* the same host: by the rank of the sources */
    SITE_HOLDER_ALL        /* a better host: all its rules */
};
struct site_holder {
    uint32_t site;
    enum site_holder_kind kind;
};
/* Hosts of one site that have the same holders. */
struct site_holder_group {
    const struct site_holder *items; /* by site; itself among them */
    uint32_t count;
};
struct site_holder_site {
    struct site_holder_group all;           /* those of every host, each as its weakest */
    const struct site_holder_group *groups; /* NULL: one only, or more than are told apart */
    uint32_t group_count;
    bool is_alone; /* nobody but itself, and overrides */
};

/* By site; everything lives in the arena. A few sorts, and a look for each label of a host. */
const struct site_holder_site *site_holders_make(struct arena *arena, const struct plan *plan);

#endif
