/* SPDX-License-Identifier: Apache-2.0 */
/* The phase that nearly every request ends in: one hash, one line, and the record where a fingerprint fits. */
#include "mod_redir307/index.h"
#include "mod_redir307/lookup_collect.h"

/* Best first: rank, then how far from the written form, then as written. */
static int match_order(const struct lookup_match *a, const struct lookup_match *b)
{
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->cost != b->cost) return a->cost < b->cost ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static void drop(struct lookup *lookup, const struct lookup_match *match)
{
    if (lookup->has_dropped && match_order(match, &lookup->dropped) >= 0) return;
    lookup->dropped = *match;
    lookup->has_dropped = true;
}

void lookup_add(struct lookup *lookup, const struct lookup_match *match)
{
    struct lookup_match *found = lookup->found;
    unsigned at = lookup->found_count;

    if (at == 0 && !lookup->has_last && !lookup->has_dropped) { /* nearly always it stays the only one */
        found[0] = *match;
        lookup->found_count = 1;
        return;
    }
    if (lookup->has_last && match_order(match, &lookup->last) <= 0) return;
    /* What was dropped must come before this one. */
    if (lookup->has_dropped && match_order(match, &lookup->dropped) >= 0) return;
    while (at > lookup->found_next && match_order(match, &found[at - 1]) < 0) at--;
    /* Repeated parameters can lead to one record twice. */
    if (at > lookup->found_next && found[at - 1].at == match->at) return;
    if (lookup->found_count == LOOKUP_FOUND_LIMIT) {
        drop(lookup, at == LOOKUP_FOUND_LIMIT ? match : &found[LOOKUP_FOUND_LIMIT - 1]);
        if (at == LOOKUP_FOUND_LIMIT) return;
        lookup->found_count--;
    }
    memmove(&found[at + 1], &found[at], (lookup->found_count - at) * sizeof found[0]);
    found[at] = *match;
    lookup->found_count++;
}

bool lookup_fold(struct lookup *lookup)
{
    if (lookup->folded_is_done) return lookup->folded_differs;

    char *out = lookup->scratch->folded;
    unsigned differs = 0;
    for (size_t i = 0; i < lookup->path.size; i++) {
        char byte = lookup->path.data[i];
        unsigned is_upper = byte >= 'A' && byte <= 'Z';

        out[i] = (char)(byte | (is_upper ? 32 : 0));
        differs |= is_upper;
    }
    lookup->folded = slice_of(out, lookup->path.size);
    lookup->folded_is_done = true;
    return lookup->folded_differs = differs;
}

/* True where the record's source meets the request; the key is compared in full. */
static bool record_matches(const struct lookup *lookup, const struct ruleset_exact_view *rule, unsigned *cost)
{
    *cost = 0;
    if (rule->key.size != lookup->bare.size) return false;
    if (memcmp(rule->key.data, lookup->bare.data, rule->key.size) != 0) {
        if (!(rule->flags & RULESET_RULE_CASE_IGNORE) || !lookup->folded_is_done) return false;
        for (size_t i = 0; i < rule->key.size; i++) {
            char byte = rule->key.data[i];

            if ((byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte) != lookup->folded.data[i]) return false;
        }
        *cost = PATTERN_CASE_DIFFERS;
    }
    if (lookup->has_slash != ((rule->flags & RULESET_RULE_SLASH) != 0)) {
        if (rule->flags & RULESET_RULE_SLASH_EXACT) return false;
        *cost |= PATTERN_SLASH_DIFFERS;
    }
    return true;
}

static bool read_exact(struct lookup *lookup, uint64_t at)
{
    bool is_there = ruleset_get_exact(lookup->ruleset, at, &lookup->exact);

    lookup->exact_at = is_there ? at : UINT64_MAX;
    return is_there;
}

const struct ruleset_exact_view *lookup_exact_view(struct lookup *lookup, const struct lookup_match *match)
{
    return match->at == lookup->exact_at || read_exact(lookup, match->at) ? &lookup->exact : NULL;
}

/* All records of one key. */
static void collect_chain(struct lookup *lookup, uint64_t at)
{
    const struct ruleset_exact_view *rule = &lookup->exact;

    for (unsigned i = 0; i < RULESET_CHAIN_LIMIT; i++) {
        struct ruleset_action action;
        struct lookup_match match = { .is_exact = true, .at = at, .order = i };

        if (!read_exact(lookup, at)) return;
        if (record_matches(lookup, rule, &match.cost)
            && ruleset_get_action(lookup->ruleset, rule->action, &action) && action.scope == lookup->scope) {
            lookup_add(lookup, &match);
        }
        if (!(rule->flags & RULESET_RULE_MORE)) return;
        at = rule->next_at;
    }
}

void lookup_collect_exact(struct lookup *lookup)
{
    const struct ruleset *rs = lookup->ruleset;
    struct slice bare = lookup->bare;
    uint32_t references[INDEX_CANDIDATES];

    /* Where some rule ignores case, all lie under their lower-case form: those of one source are one chain. */
    if (lookup->scope_head.flags & RULESET_SCOPE_HAS_CASE_IGNORE && lookup_fold(lookup)) {
        bare.data = lookup->folded.data;
    }
    uint64_t key = lookup->probe.scope == lookup->scope ? lookup->probe.exact_key
                                                         : hash_path(bare, rs->header.seed, lookup->scope);
    unsigned count = index_find(&rs->views[RULESET_EXACT_INDEX], key, references);
    for (unsigned i = 0; i < count; i++) collect_chain(lookup, (uint64_t)references[i] * 4);
}
