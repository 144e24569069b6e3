/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out whether an answer hangs on the time, on chance or on the load: collects, from the rules that were
 * considered, the points at which they change their mind. Part of expect_run. */
#ifndef RULEC_EXPECT_PROBE_H
#define RULEC_EXPECT_PROBE_H

#include "mod_redir307/request_key.h"
#include "rulec/plan.h"

enum expect_probe_kind {
    EXPECT_PROBE_TIME,   /* Unix time */
    EXPECT_PROBE_CHANCE, /* millionths */
    EXPECT_PROBE_BUSY,   /* per cent */
    EXPECT_PROBE_KINDS
};
enum { EXPECT_PROBE_LIMIT = 512 }; /* further ones are left out: a rule has few edges */

struct expect_probes {
    int64_t values[EXPECT_PROBE_KINDS][EXPECT_PROBE_LIMIT];
    size_t counts[EXPECT_PROBE_KINDS];
    bool has_week;
};

void expect_probes_clear(struct expect_probes *probes);
/* A rule that was considered. */
void expect_probes_note(struct expect_probes *probes, const struct plan *plan, const struct plan_rule *rule);
/* Sets point number `index` in the key; false past the last. */
bool expect_probes_apply(const struct expect_probes *probes, enum expect_probe_kind kind, size_t index,
                         struct request_key *key);

#endif
