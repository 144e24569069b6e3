/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that are sent with an answer: `header`, `retry-after`, `blocked-by`. */
#ifndef RULEC_LOWER_HEADER_H
#define RULEC_LOWER_HEADER_H

#include "rulec/lower_context.h"

/* Each adds to the scope's fields; one of the same name gives way. Mistakes are reported. */
void lower_header(struct lower *lower, struct lower_scope *scope,
                  const struct ast_clause *clause);
void lower_retry_after(struct lower *lower, struct lower_scope *scope,
                       const struct ast_clause *clause);
void lower_blocked_by(struct lower *lower, struct lower_scope *scope,
                      const struct ast_clause *clause);

/* True where the scope sets a field of that name. */
bool lower_has_header(const struct lower_scope *scope, struct slice name);
/* ASCII case is no difference in field names. */
int lower_compare_names(struct slice a, struct slice b);
/* True where `name` is a token and `value` printable ASCII; else a mistake is reported. */
bool lower_judge_field(struct lower *lower, const struct ast_word *name,
                       const struct ast_word *value);

#endif
