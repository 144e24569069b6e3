/* SPDX-License-Identifier: Apache-2.0 */
/* A short URL that a source takes, for questions to the engine and for messages. */
#ifndef RULEC_SAMPLE_H
#define RULEC_SAMPLE_H

#include "mod_redir307/url.h"
#include "rulec/plan.h"

enum { SAMPLE_LIMIT = URL_PATH_LIMIT };

struct sample {
    char text[SAMPLE_LIMIT];
    size_t size;       /* of path and query */
    size_t path_size;
    bool has_query;    /* what stands behind text[path_size], a "?" */
};

/* Each placeholder is filled with a short text of its type, a free one with `filler`. False: there is no telling
 * (a regex), or it is too long. */
bool sample_source(const struct plan_rule *rule, struct slice filler, struct sample *sample);

/* A text of the part's type; data NULL: there is no telling. */
struct slice sample_part(const struct plan_part *part, struct slice filler);

struct slice sample_path(const struct sample *sample);
struct slice sample_query(const struct sample *sample); /* without the "?" */

#endif
