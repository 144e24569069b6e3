/* SPDX-License-Identifier: Apache-2.0 */
/* Plan to the bytes of a rule file (layout: mod_redir307/ruleset_format.h). The same plan gives the same bytes. */
#ifndef RULEC_EMIT_H
#define RULEC_EMIT_H

#include "rulec/plan.h"

struct emit_options {
    const char *label; /* kept in the file; NULL: none */
};
struct emit_result {
    void *bytes;       /* free with emit_free */
    size_t size;
};

/* Limits that the rules pass (shapes of a site, chains, sizes) are messages of `diag`; false then. */
bool emit(const struct plan *plan, struct diag *diag, const struct emit_options *options, struct emit_result *result);
void emit_free(struct emit_result *result);

#endif
