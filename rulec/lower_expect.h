/* SPDX-License-Identifier: Apache-2.0 */
/* `expect` lines -> the plan. */
#ifndef RULEC_LOWER_EXPECT_H
#define RULEC_LOWER_EXPECT_H

#include "rulec/lower_context.h"

void lower_expect(struct lower *lower, const struct lower_scope *scope,
                  const struct ast_expect *expect);

#endif
