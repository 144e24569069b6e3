/* SPDX-License-Identifier: Apache-2.0 */
/* How paths of which only parts are known are put together. Private to symbolic*.c. */
#ifndef RULEC_SYMBOLIC_STATE_H
#define RULEC_SYMBOLIC_STATE_H

#include "rulec/symbolic.h"

extern const struct slice symbolic_filler; /* what stands for a text that is not known */

bool symbolic_text_equal(struct slice a, struct slice b); /* without case */
/* False: the path is full. */
bool symbolic_push(struct symbolic_path *path, struct symbolic_token token);
bool symbolic_push_text(struct symbolic_path *path, struct slice text);
bool symbolic_read(struct symbolic_path *path, struct slice text); /* a path that is known */

struct symbolic_token symbolic_new(struct symbolic *symbolic, enum symbolic_kind kind, const struct plan_part *part);
/* Puts tokens in the place of a variable, everywhere. False: it would hold itself, or a path gets full. */
bool symbolic_bind(struct symbolic *symbolic, uint32_t variable, const struct symbolic_path *by);
bool symbolic_bind_token(struct symbolic *symbolic, uint32_t variable, struct symbolic_token by);
bool symbolic_bind_nothing(struct symbolic *symbolic, uint32_t variable);

#endif
