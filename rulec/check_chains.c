/* SPDX-License-Identifier: Apache-2.0 */
/* A chain is told once, at the rule where it starts: one that no other rule leads to. Old lists have thousands of
 * them, so some that differ are told with every hop, and the rest in one sentence. A hop that only changes http to https is none:
 * browsers want it by itself before they remember a site as secure (RFC 6797, 7.2). */
#include "config.h"

#include "rulec/check_chains.h"

#include "rulec/hops.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOLD_LIMIT = 10, SHOWN_HOPS = 8, URL_TEXT_SIZE = 512, HOP_TEXT_SIZE = 256 };

struct chains {
    const struct plan *plan;
    struct diag *diag;
    struct hops *hops;
    const bool *is_met; /* by rule: its target may be; the others' lead nowhere */
    uint32_t *next;    /* by rule: the rule that its answer leads to; HOPS_NO_RULE: none */
    bool *is_led_to;   /* by rule */
    bool *is_told;     /* by rule: a chain that goes on there was told */
    size_t chain_count, told_count, gone_count;
    uint32_t more_chains_at, more_gone_at; /* the first rule that is counted and not told */
    uint32_t longest_at;
    unsigned longest;
};

static bool is_end(unsigned status)
{
    return status == 410 || status == 404;
}

static void tell_gone(struct chains *chains, uint32_t rule, const struct hop *hop)
{
    const struct plan_rule *rules = chains->plan->rules;
    char url[URL_TEXT_SIZE];

    if (diag_is_allowed(chains->diag, DIAG_TARGET_GONE, rules[rule].span))
        return;
    if (chains->gone_count++ >= TOLD_LIMIT) {
        if (chains->gone_count == TOLD_LIMIT + 1)
            chains->more_gone_at = rule;
        return;
    }
    hops_url(chains->hops, url, sizeof url);
    diag_warning(chains->diag, DIAG_TARGET_GONE, rules[rule].span, "the target \"%s\" is answered with %u", url,
                 hop->status);
    diag_note(chains->diag, rules[hop->rule].span, "by this rule");
    diag_help(chains->diag, "a client that is sent on only to hear %u could hear it here: \"%s\"", hop->status,
              hop->status == 410 ? "gone" : "404");
}

/* Where each rule leads in one hop. */
static void look_ahead(struct chains *chains)
{
    for (uint32_t i = 0; i < chains->plan->rule_count; i++) {
        struct hop hop;

        chains->next[i] = HOPS_NO_RULE;
        if (!chains->is_met[i] || !hops_start(chains->hops, i))
            continue;
        if (hops_step(chains->hops, &hop)) {
            if (hop.is_upgrade || hop.rule == HOPS_NO_RULE)
                continue;
            chains->next[i] = hop.rule;
            chains->is_led_to[hop.rule] |= hop.rule != i;
        } else if (is_end(hop.status) && hop.rule != HOPS_NO_RULE) {
            tell_gone(chains, i, &hop);
        }
    }
}

static unsigned length(const struct chains *chains, uint32_t rule)
{
    unsigned hops = 1;

    while (chains->next[rule] != HOPS_NO_RULE && hops < HOPS_LIMIT) {
        rule = chains->next[rule];
        hops++;
    }
    return hops;
}

static void tell_chain(struct chains *chains, uint32_t rule)
{
    const struct plan_rule *rules = chains->plan->rules;
    char url[URL_TEXT_SIZE];
    struct { uint32_t rule; char to[HOP_TEXT_SIZE]; } through[SHOWN_HOPS];
    unsigned hops = 0;
    struct hop hop;

    if (!hops_start(chains->hops, rule))
        return;
    while (hops < HOPS_LIMIT && hops_step(chains->hops, &hop) && !hop.is_upgrade && hop.rule != HOPS_NO_RULE) {
        if (hops < SHOWN_HOPS) {
            through[hops].rule = hop.rule;
            snprintf(through[hops].to, HOP_TEXT_SIZE, "%.*s", (int)hop.location.size, hop.location.data);
        }
        hops++;
    }
    if (hops == HOPS_LIMIT)
        return; /* no chain: check_loops' business */
    hops_url(chains->hops, url, sizeof url);
    diag_warning(chains->diag, DIAG_CHAIN, rules[rule].span, "it takes %u hops from here to \"%s\"", hops + 1, url);
    for (unsigned i = 0; i < hops && i < SHOWN_HOPS; i++)
        diag_note(chains->diag, rules[through[i].rule].span, "hop %u, to \"%s\"", i + 2, through[i].to);
    diag_help(chains->diag, "name the end as the target, or let \"rulec compile --flatten\" do it");
}

static void find_chains(struct chains *chains)
{
    const struct plan *plan = chains->plan;

    for (uint32_t i = 0; i < plan->rule_count; i++) {
        if (chains->next[i] == HOPS_NO_RULE || chains->is_led_to[i] ||
            diag_is_allowed(chains->diag, DIAG_CHAIN, plan->rules[i].span))
            continue;
        unsigned hops = length(chains, i);

        if (hops > chains->longest) {
            chains->longest = hops;
            chains->longest_at = i;
        }
        chains->chain_count++;
        if (chains->told_count < TOLD_LIMIT && !chains->is_told[chains->next[i]]) {
            chains->told_count++;
            chains->is_told[chains->next[i]] = true;
            tell_chain(chains, i);
        } else if (chains->chain_count == chains->told_count + 1) {
            chains->more_chains_at = i;
        }
    }
}

static void sum_up(struct chains *chains)
{
    const struct plan_rule *rules = chains->plan->rules;

    if (chains->chain_count > chains->told_count) {
        diag_warning(chains->diag, DIAG_CHAIN, rules[chains->more_chains_at].span,
                     "and %zu more from here on that lead%s to another redirect; the longest takes %u hops",
                     chains->chain_count - chains->told_count,
                     chains->chain_count - chains->told_count == 1 ? "s" : "", chains->longest);
        diag_note(chains->diag, rules[chains->longest_at].span, "the longest");
    }
    if (chains->gone_count > TOLD_LIMIT)
        diag_warning(chains->diag, DIAG_TARGET_GONE, rules[chains->more_gone_at].span,
                     "and %zu more from here on that lead%s to what is answered with 410 or 404",
                     chains->gone_count - TOLD_LIMIT, chains->gone_count - TOLD_LIMIT == 1 ? "s" : "");
}

void check_chains(const struct plan *plan, const struct ruleset *ruleset, const bool *is_met, struct diag *diag)
{
    struct chains chains = { .plan = plan, .diag = diag, .is_met = is_met,
                             .hops = hops_open(plan, ruleset) };

    chains.next = memory_resize(NULL, plan->rule_count + 1u, sizeof *chains.next);
    chains.is_led_to = memory_resize(NULL, 2 * (plan->rule_count + 1u), sizeof *chains.is_led_to);
    memset(chains.is_led_to, 0, 2 * (plan->rule_count + 1u));
    chains.is_told = chains.is_led_to + plan->rule_count + 1u;
    look_ahead(&chains);
    find_chains(&chains);
    sum_up(&chains);
    hops_close(chains.hops);
    free(chains.next);
    free(chains.is_led_to);
}
