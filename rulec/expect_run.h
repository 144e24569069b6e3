/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests that stand in the rules through the engine: `expect` lines, and exact rules, each a test of itself.
 * Shared by `test`, which prints them, and by compile and check, which make a failing one an error. */
#ifndef RULEC_EXPECT_RUN_H
#define RULEC_EXPECT_RUN_H

#include "mod_redir307/answer.h"
#include "rulec/plan.h"

#include <stdbool.h>

enum expect_verdict {
    EXPECT_HOLDS,
    EXPECT_FAILS,
    EXPECT_SKIPPED /* a rule that is no test of itself, or that others stand before; or what a live server cannot be
                      told. `got` says which */
};

enum { EXPECT_TEXT_SIZE = ANSWER_LOCATION_LIMIT + 1024 };

/* The last result lies in the runner: `wanted` and `got` are set unless the verdict is EXPECT_HOLDS. */
struct expect_runner;

/* Both must outlive the runner. The ruleset is the one made from the plan. */
struct expect_runner *expect_runner_open(const struct plan *plan, const struct ruleset *ruleset);
void expect_runner_close(struct expect_runner *runner);
/* From now on a live server is asked (rulec/http_ask.h); the ruleset says what it should answer where the rules do not. */
struct http_asker;
void expect_runner_against(struct expect_runner *runner, struct http_asker *server);

enum expect_verdict expect_run_line(struct expect_runner *runner, const struct plan_expect *expect);
/* Rule number `rule` of the plan. Skipped unless it is exact and has no condition and no `by`. */
enum expect_verdict expect_run_rule(struct expect_runner *runner, uint32_t rule);

const char *expect_wanted(const struct expect_runner *runner);
const char *expect_got(const struct expect_runner *runner);
/* Where the rule stands that gave the wrong answer; 0: none did. */
uint32_t expect_answered_at(const struct expect_runner *runner);

/* Each `expect` that fails becomes an error of `diag` at its place. Returns how many hold. */
size_t expect_check(const struct plan *plan, const struct ruleset *ruleset, struct diag *diag);

#endif
