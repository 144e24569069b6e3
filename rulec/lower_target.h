/* SPDX-License-Identifier: Apache-2.0 */
/* A target word -> what is sent, or a template. Whatever could lead somewhere its author did
 * not write is an error. */
#ifndef RULEC_LOWER_TARGET_H
#define RULEC_LOWER_TARGET_H

#include "rulec/lower_source.h"

struct lower_target {
    struct slice text;              /* ready to send, or empty */
    struct plan_template *template; /* else */
};

/* False: a mistake was reported. */
bool lower_target(struct lower *lower, const struct lower_scope *scope, struct lower_word word,
                  enum lower_reading reading, const struct lower_source *source,
                  struct lower_target *target);

#endif
