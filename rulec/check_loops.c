/* SPDX-License-Identifier: Apache-2.0 */
/* Each fixed target is followed until it leaves the rules, meets a state that an earlier walk went through, or one of
 * its own: a loop. Every state is asked once, so the work is linear in rules. A loop is one for a state of method and
 * scheme, as conditions can tell them apart; a target on a host that no `site` names leaves the rules. */
#include "config.h"

#include "rulec/check_loops.h"

#include "mod_redir307/regex.h"
#include "rulec/check_pattern_loops.h"
#include "rulec/follow.h"
#include "rulec/known_hosts.h"
#include "rulec/loop_methods.h"

#include <stdlib.h>

enum {
    HOP_LIMIT = 64,      /* of one walk whose path grows: check_pattern_loops tells of those */
    LONG_LIMIT = 1 << 20
};

/* Which walk went through a state first. Where a walk ends is not kept: nearly all targets are such ends. */
struct visits {
    struct visit {
        uint64_t state; /* 0: free */
        uint32_t walk;
    } *slots;
    size_t slot_count, used;
};

struct walk {
    const struct plan *plan;
    struct visits visits;
    struct known_hosts *hosts;
    struct regex_scratch *regex;
    struct loop_methods methods;
    bool needs_https; /* some rule asks for a scheme */
    uint32_t number;
    struct loop_report report;
    struct follow follow;
};

static struct visit *find_visit(struct visits *visits, uint64_t state)
{
    size_t mask = visits->slot_count - 1, at = state & mask;

    while (visits->slots[at].state && visits->slots[at].state != state) at = (at + 1) & mask;
    return &visits->slots[at];
}

static void grow(struct visits *visits)
{
    struct visits larger = { .slot_count = visits->slot_count ? 2 * visits->slot_count : 4096, .used = visits->used };

    larger.slots = memory_resize(NULL, larger.slot_count, sizeof *larger.slots);
    memset(larger.slots, 0, larger.slot_count * sizeof *larger.slots);
    for (size_t i = 0; i < visits->slot_count; i++) {
        if (visits->slots[i].state) *find_visit(&larger, visits->slots[i].state) = visits->slots[i];
    }
    free(visits->slots);
    *visits = larger;
}

/* The walk that went on from this state before; 0: none. */
static uint32_t visitor_of(struct walk *walk, uint64_t state)
{
    return walk->visits.used ? find_visit(&walk->visits, state)->walk : 0;
}

static void visit(struct walk *walk, uint64_t state)
{
    if (walk->visits.used * 3 >= walk->visits.slot_count * 2) grow(&walk->visits);
    *find_visit(&walk->visits, state) = (struct visit){ .state = state, .walk = walk->number };
    walk->visits.used++;
}

static bool is_redirecting(const struct plan *plan, const struct plan_rule *rule)
{
    return !plan->actions[rule->action].is_pass && plan_target(rule).size > 0 && !plan_template(rule);
}

/* One walk from the rule's target in one state of method and scheme. */
static void follow_target(struct walk *walk, const struct ruleset *ruleset, const struct plan_rule *rule,
                          struct request_key key)
{
    struct follow *follow = &walk->follow;

    walk->number++;
    follow_start(follow, ruleset, &key);
    if (!follow_to(follow, plan_target(rule))) return;
    size_t first_size = follow->key.path.size;
    for (unsigned hop = 0; hop < (follow->key.path.size > first_size ? HOP_LIMIT : LONG_LIMIT); hop++) {
        if (!known_hosts_reach(walk->hosts, key.host, follow->key.host)) return;
        uint64_t state = follow_hash(follow) | 1; /* 0 is a free slot */
        uint32_t before = visitor_of(walk, state);

        if (before == walk->number) {
            loop_report_tell(&walk->report, follow);
            return;
        }
        if (before || !follow_step(follow)) return;
        visit(walk, state);
    }
}

static bool asks_for_scheme(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->action_count; i++)
        for (uint32_t k = 0; k < plan->actions[i].condition_count; k++)
            if (plan->actions[i].conditions[k].kind == PLAN_CONDITION_SCHEME)
                return true;
    return false;
}

static void follow_rule(struct walk *walk, const struct ruleset *ruleset, const struct plan_rule *rule)
{
    const struct plan_site *site = &walk->plan->sites[walk->plan->actions[rule->action].site];

    if (known_hosts_leave(walk->hosts, plan_target(rule)))
        return;
    for (uint32_t h = 0; h < site->host_count; h++) {
        char host[URL_HOST_LIMIT + 1];
        struct request_key key = { .host = known_hosts_example(&site->hosts[h], host), .regex = walk->regex };

        for (unsigned s = 0; s < (walk->needs_https ? 2U : 1U); s++) {
            key.scheme = s ? SLICE("https") : SLICE("http");
            key.port = site->hosts[h].port ? site->hosts[h].port : url_default_port(key.scheme);
            for (unsigned m = 0; m < walk->methods.count; m++) {
                key.method = walk->methods.items[m];
                follow_target(walk, ruleset, rule, key);
            }
        }
    }
}

void check_loops(const struct plan *plan, const struct ruleset *ruleset, const bool *is_met, struct diag *diag)
{
    struct walk *walk = memory_resize(NULL, 1, sizeof *walk);

    memset(walk, 0, sizeof *walk);
    walk->plan = plan;
    walk->hosts = known_hosts_open(plan);
    walk->regex = regex_scratch_open();
    loop_report_open(&walk->report, plan, diag);
    loop_methods_find(&walk->methods, plan);
    walk->needs_https = asks_for_scheme(plan);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        if (is_met[i] && is_redirecting(plan, &plan->rules[i])) follow_rule(walk, ruleset, &plan->rules[i]);
    }
    check_pattern_loops(plan, ruleset, &walk->methods, &walk->report);
    known_hosts_close(walk->hosts);
    regex_scratch_close(walk->regex);
    free(walk->visits.slots);
    loop_report_close(&walk->report);
    free(walk);
}
