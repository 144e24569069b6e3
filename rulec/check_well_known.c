/* SPDX-License-Identifier: Apache-2.0 */
/* /.well-known/ belongs to programs (RFC 8615): a certificate is renewed by a file there (RFC 8555, 8.3), which is
 * asked for at this host. To the same URL under https is where they may be sent. */
#include "config.h"

#include "rulec/check_well_known.h"

#include "mod_redir307/regex.h"
#include "rulec/follow.h"
#include "rulec/known_hosts.h"
#include "rulec/rule_places.h"

#include <stdlib.h>
#include <time.h>

#define CHALLENGE "/.well-known/acme-challenge/any"

/* True where no fixed segment stands in front. */
static bool takes_everything(const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    return pattern && (pattern->regex.size || pattern->head_count == 0 || pattern->head[0].part_count != 1 ||
                       pattern->head[0].parts[0].kind != PLAN_PART_LITERAL);
}

static bool site_has_such(const struct plan *plan, bool *sites)
{
    bool has_any = false;

    for (uint32_t i = 0; i < plan->rule_count; i++) {
        if (!takes_everything(&plan->rules[i]))
            continue;
        sites[plan->actions[plan->rules[i].action].site] = true;
        has_any = true;
    }
    return has_any;
}

/* The rule that takes the challenge away from the site's first host; RULE_PLACES_NONE: none. */
static uint32_t find_taker(const struct plan *plan, const struct ruleset *ruleset, const struct plan_site *site,
                           struct follow *follow, const struct rule_places *places, struct regex_scratch *regex)
{
    char buffer[URL_HOST_LIMIT + 1];
    struct request_key key = { .method = SLICE("GET"), .scheme = SLICE("http"), .path = SLICE(CHALLENGE), .regex = regex,
                               .time_s = plan->now_s ? plan->now_s : (int64_t)time(NULL) };

    key.host = known_hosts_example(&site->hosts[0], buffer);
    key.port = site->hosts[0].port ? site->hosts[0].port : url_default_port(key.scheme);
    follow_start(follow, ruleset, &key);
    bool leads_on = follow_step(follow);
    if (follow->answer.outcome != ANSWER_SEND)
        return RULE_PLACES_NONE;
    if (leads_on && slice_equal(follow->key.host, key.host) && slice_equal(follow->key.path, SLICE(CHALLENGE)))
        return RULE_PLACES_NONE;
    uint32_t rule = rule_places_find(places, follow->answer.place);
    return rule != RULE_PLACES_NONE && takes_everything(&plan->rules[rule]) ? rule : (uint32_t)RULE_PLACES_NONE;
}

void check_well_known(const struct plan *plan, const struct ruleset *ruleset, struct diag *diag)
{
    bool *sites = memory_resize(NULL, plan->site_count + 1u, sizeof *sites);
    uint32_t first = RULE_PLACES_NONE;
    size_t count = 0;

    memset(sites, 0, plan->site_count + 1u);
    if (site_has_such(plan, sites)) {
        struct follow *follow = memory_resize(NULL, 1, sizeof *follow);
        struct rule_places *places = rule_places_open(plan);
        struct regex_scratch *regex = regex_scratch_open();

        for (uint32_t s = 0; s < plan->site_count; s++) {
            if (!sites[s])
                continue;
            uint32_t rule = find_taker(plan, ruleset, &plan->sites[s], follow, places, regex);

            if (rule == RULE_PLACES_NONE || diag_is_allowed(diag, DIAG_WELL_KNOWN, plan->rules[rule].span))
                continue;
            if (count++ == 0 || rule < first)
                first = rule;
        }
        regex_scratch_close(regex);
        rule_places_close(places);
        free(follow);
    }
    free(sites);
    if (count == 0)
        return;
    diag_warning(diag, DIAG_WELL_KNOWN, plan->rules[first].span,
                 "this rule takes \"/.well-known/\", too, where certificates are renewed");
    if (count > 1)
        diag_help(diag, "so it is with %zu more, of other sites", count - 1);
    diag_help(diag, "\"/.well-known/* pass\" leaves that to the server");
}
