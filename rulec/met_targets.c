/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the engine for candidates alone: hosts, paths and queries decide about them, conditions do not. A filter leaves few
 * targets to ask for. Each is asked for by itself, so several threads share the work. */
#include "config.h"

#include "rulec/met_targets.h"

#include "mod_redir307/lookup.h"
#include "mod_redir307/regex.h"
#include "rulec/follow.h"
#include "rulec/known_hosts.h"
#include "rulec/parallel.h"
#include "rulec/path_filter.h"

#include <stdlib.h>

struct met_targets {
    const struct plan *plan;
    const struct ruleset *ruleset;
    const struct path_filter *filter;
    bool has_ports; /* some host is bound to one */
    bool *is_met;
};

/* The filter is asked so many rules before its answer is read. */
enum { AHEAD = 16 };

/* What one thread needs. */
struct asker {
    const struct met_targets *targets;
    struct known_hosts *hosts;
    struct regex_scratch *regex;
    struct lookup lookup;
    struct follow follow;
    struct path_question questions[AHEAD]; /* of the rules that come next */
};

static bool has_ports(const struct plan *plan)
{
    for (uint32_t s = 0; s < plan->site_count; s++)
        for (uint32_t h = 0; h < plan->sites[s].host_count; h++)
            if (plan->sites[s].hosts[h].port)
                return true;
    return false;
}

/* Where the target leads from this state. */
static bool is_met_from(struct asker *asker, struct slice target, const struct request_key *key)
{
    struct follow *follow = &asker->follow;
    struct lookup_match match;
    struct probe probe;

    follow_start(follow, asker->targets->ruleset, key);
    if (!follow_to(follow, target) || !known_hosts_reach(asker->hosts, key->host, follow->key.host)) {
        return false;
    }
    probe = probe_path(asker->targets->ruleset, follow->key.path, follow->key.has_query);
    return probe.may_answer &&
           lookup_begin(&asker->lookup, asker->targets->ruleset, &follow->key, probe, &follow->scratch) &&
           lookup_next(&asker->lookup, &match);
}

static bool is_met(struct asker *asker, uint32_t number)
{
    const struct plan *plan = asker->targets->plan;
    const struct plan_rule *rule = &plan->rules[number];
    const struct plan_site *site = &plan->sites[plan->actions[rule->action].site];
    struct slice target = plan_target(rule);

    if (known_hosts_leave(asker->hosts, target) ||
        !path_filter_may_hold(asker->targets->filter, &asker->questions[number % AHEAD]))
        return false;
    for (uint32_t h = 0; h < site->host_count; h++) {
        char host[URL_HOST_LIMIT + 1];
        struct request_key key = { .host = known_hosts_example(&site->hosts[h], host), .method = SLICE("GET"),
                                   .regex = asker->regex };

        for (unsigned s = 0; s < (asker->targets->has_ports ? 2U : 1U); s++) {
            key.scheme = s ? SLICE("https") : SLICE("http");
            key.port = site->hosts[h].port ? site->hosts[h].port : url_default_port(key.scheme);
            if (is_met_from(asker, target, &key))
                return true;
        }
    }
    return false;
}

static bool has_fixed_target(const struct plan *plan, const struct plan_rule *rule)
{
    return !plan->actions[rule->action].is_pass && rule->target_size && !plan_template(rule) && !plan_choice(rule);
}

static void ask_filter(struct asker *asker, uint32_t number)
{
    const struct plan_rule *rule = &asker->targets->plan->rules[number];
    struct path_question *question = &asker->questions[number % AHEAD];
    struct url_parts parts;

    question->is_open = true;
    if (has_fixed_target(asker->targets->plan, rule) && url_split(plan_target(rule), &parts))
        path_filter_ask(asker->targets->filter, parts.path.size ? parts.path : SLICE("/"), question);
}

static void ask(void *baton, uint32_t first, uint32_t end)
{
    const struct met_targets *targets = baton;
    struct asker *asker = memory_resize(NULL, 1, sizeof *asker);

    asker->targets = targets;
    asker->hosts = known_hosts_open(targets->plan);
    asker->regex = regex_scratch_open();
    for (uint32_t i = first; i < end && i - first < AHEAD; i++)
        ask_filter(asker, i);
    for (uint32_t i = first; i < end; i++) {
        targets->is_met[i] = !has_fixed_target(targets->plan, &targets->plan->rules[i]) || is_met(asker, i);
        if (end - i > AHEAD)
            ask_filter(asker, i + AHEAD);
    }
    known_hosts_close(asker->hosts);
    regex_scratch_close(asker->regex);
    free(asker);
}

bool *met_targets_find(const struct plan *plan, const struct ruleset *ruleset)
{
    struct path_filter *filter = path_filter_open(plan);
    struct met_targets targets = { .plan = plan, .ruleset = ruleset, .filter = filter, .has_ports = has_ports(plan) };

    targets.is_met = memory_resize(NULL, plan->rule_count + 1u, sizeof *targets.is_met);
    parallel_ranges(plan->thread_count, plan->rule_count, ask, &targets);
    path_filter_close(filter);
    return targets.is_met;
}
