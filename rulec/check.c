/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables of checks, in the order in which they run: those that look at the plan, and those that ask the engine
 * about the file made of it. */
#include "config.h"

#include "rulec/check.h"

#include "rulec/check_chains.h"
#include "rulec/check_hidden.h"
#include "rulec/check_loops.h"
#include "rulec/check_rank.h"
#include "rulec/check_same.h"
#include "rulec/check_status.h"
#include "rulec/check_well_known.h"
#include "rulec/met_targets.h"

#include <stdlib.h>

enum check_number {
    CHECK_SAME,
    CHECK_HIDDEN,
    CHECK_RANK,
    CHECK_STATUS,
    CHECK_SLASH,
    CHECK_COUNT
};

static const struct check {
    void (*run)(const struct plan *plan, struct diag *diag);
    unsigned needs; /* bit N: check number N must have found no error */
} checks[] = {
    [CHECK_SAME] = { .run = check_same },
    [CHECK_HIDDEN] = { .run = check_hidden, .needs = 1U << CHECK_SAME },
    [CHECK_RANK] = { .run = check_rank, .needs = 1U << CHECK_SAME },
    [CHECK_STATUS] = { .run = check_status },
    [CHECK_SLASH] = { .run = check_slash, .needs = 1U << CHECK_SAME },
};

enum file_check_number {
    FILE_CHECK_LOOPS,
    FILE_CHECK_CHAINS,
    FILE_CHECK_WELL_KNOWN,
    FILE_CHECK_COUNT
};

struct checked_file {
    const struct plan *plan;
    const struct ruleset *ruleset;
    const bool *is_met; /* see met_targets.h */
    struct diag *diag;
};

static void run_loops(const struct checked_file *file)
{
    check_loops(file->plan, file->ruleset, file->is_met, file->diag);
}

static void run_chains(const struct checked_file *file)
{
    check_chains(file->plan, file->ruleset, file->is_met, file->diag);
}

static void run_well_known(const struct checked_file *file)
{
    check_well_known(file->plan, file->ruleset, file->diag);
}

static const struct file_check {
    void (*run)(const struct checked_file *file);
    unsigned needs;
} file_checks[] = {
    [FILE_CHECK_LOOPS] = { .run = run_loops },
    [FILE_CHECK_CHAINS] = { .run = run_chains, .needs = 1U << FILE_CHECK_LOOPS },
    [FILE_CHECK_WELL_KNOWN] = { .run = run_well_known },
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

bool check_run_file(const struct plan *plan, const struct ruleset *ruleset, struct diag *diag)
{
    bool *is_met = met_targets_find(plan, ruleset);
    const struct checked_file file = { .plan = plan, .ruleset = ruleset, .is_met = is_met, .diag = diag };
    unsigned failed = 0;

    for (unsigned i = 0; i < FILE_CHECK_COUNT; i++) {
        size_t before = diag_error_count(diag);

        if ((file_checks[i].needs & failed) == 0)
            file_checks[i].run(&file);
        if ((file_checks[i].needs & failed) || diag_error_count(diag) > before)
            failed |= 1U << i;
    }
    free(is_met);
    return failed == 0;
}
