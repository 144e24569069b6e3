/* SPDX-License-Identifier: Apache-2.0 */
/* The authority of a target: who may be in it, and how it is sent. */
#ifndef RULEC_LOWER_AUTHORITY_H
#define RULEC_LOWER_AUTHORITY_H

#include "rulec/lower_skeleton.h"

/* `authority` is a part of the skeleton, its first mark is number `first_hole`. A host with
 * non-ASCII letters comes back in *sent as A-labels, any other as it is. False: a mistake
 * was reported. */
bool lower_authority(struct lower *lower, struct lower_word word,
                     const struct lower_skeleton *skeleton, struct slice authority,
                     uint32_t first_hole, uint32_t site, struct slice *sent);

/* True where the site is `site *`, or has that among its hosts: any name may be asked for
 * there. */
bool lower_site_is_open(const struct plan *plan, uint32_t site);

#endif
