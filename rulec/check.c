/* SPDX-License-Identifier: Apache-2.0 */
/* The table of checks, in the order in which they run. */
#include "config.h"

#include "rulec/check.h"

#include "rulec/check_hidden.h"
#include "rulec/check_rank.h"
#include "rulec/check_same.h"

enum check_number { CHECK_SAME, CHECK_HIDDEN, CHECK_RANK, CHECK_COUNT };

static const struct check {
    void (*run)(const struct plan *plan, struct diag *diag);
    unsigned needs; /* bit N: check number N must have found no error */
} checks[] = {
    [CHECK_SAME] = { .run = check_same },
    [CHECK_HIDDEN] = { .run = check_hidden, .needs = 1U << CHECK_SAME },
    [CHECK_RANK] = { .run = check_rank, .needs = 1U << CHECK_SAME },
};

bool check_run(const struct plan *plan, struct diag *diag)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        size_t before = diag_error_count(diag);

        if ((checks[i].needs & failed) == 0)
            checks[i].run(plan, diag);
        if ((checks[i].needs & failed) || diag_error_count(diag) > before)
            failed |= 1U << i;
    }
    return failed == 0;
}
