/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of chains. A pattern lies under its lead (the fixed segments in front, in lower case), the first and
 * last few fixed bytes of its first open segment, the first fixed segment behind that, and its query parameters, with
 * their values where those are fixed. What holds a given source lies under one of that source's own leads, a part of its
 * bytes, one of its segments and some of its parameters: so few chains are looked at, and each search is bounded by
 * depth. */
#include "config.h"

#include "rulec/source_index.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/url.h"
#include "rulec/segments.h"

#include <stdlib.h>

enum {
    END_SIZE = 8,          /* bytes that count at each end of the open segment */
    PARAMETER_LIMIT = 4,   /* parameters whose combinations are tried; of more, all of them only */
    COMBINATION_LIMIT = 81 /* each is not asked for, with any value, or with this one */
};

struct slot {
    uint64_t key; /* 0: free */
    uint32_t first;
};

struct source_index {
    const struct plan *plan;
    struct slot *slots;
    size_t slot_count;
    uint32_t *next; /* by rule: the next of its chain + 1 */
    bool has_ends[END_SIZE + 1][END_SIZE + 1]; /* sizes at the start and end that occur */
    bool has_behind[PLAN_SEGMENT_LIMIT];       /* numbers of fixed segments behind open ones that occur */
    bool has_any_behind, has_overrides;
};

/* The fixed bytes of a segment, in lower case. */
struct ends {
    char start[END_SIZE], end[END_SIZE];
    uint32_t start_size, end_size;
};

static void take_start(struct ends *ends, struct slice text)
{
    ends->start_size = text.size < END_SIZE ? (uint32_t)text.size : END_SIZE;
    for (uint32_t i = 0; i < ends->start_size; i++)
        ends->start[i] = byte_lower(text.data[i]);
}

/* Written from the back, so that a shorter end is a beginning of it. */
static void take_end(struct ends *ends, struct slice text)
{
    ends->end_size = text.size < END_SIZE ? (uint32_t)text.size : END_SIZE;
    for (uint32_t i = 0; i < ends->end_size; i++)
        ends->end[i] = byte_lower(text.data[text.size - 1 - i]);
}

static void take_segment(struct ends *ends, const struct plan_segment *segment, bool is_open)
{
    const struct plan_part *first = &segment->parts[0], *last = &segment->parts[segment->part_count - 1];

    if (first->kind == PLAN_PART_LITERAL)
        take_start(ends, first->text);
    if (last->kind == PLAN_PART_LITERAL && !is_open)
        take_end(ends, last->text);
}

static uint64_t hash_segment(uint64_t lead, struct slice text)
{
    char folded[256];
    size_t size = 0;

    while (text.size) {
        for (size = 0; size < sizeof folded && size < text.size; size++)
            folded[size] = byte_lower(text.data[size]);
        lead = hash_bytes(slice_of(folded, size), lead);
        text = slice_of(text.data + size, text.size - size);
    }
    return hash_mix(lead + 1);
}

static uint64_t hash_start(uint32_t site, bool is_override)
{
    return hash_mix(((uint64_t)site << 1 | is_override) + HASH_MULTIPLIER);
}

static uint64_t open_hash(const struct plan_parameter *parameter) { return hash_bytes(parameter->name, 3) | 1; }

/* Of the parameter with its one value. False: it has none. */
static bool fixed_hash(const struct plan_parameter *parameter, uint64_t *hash)
{
    struct slice value;

    if (!plan_parameter_value(parameter, &value))
        return false;
    *hash = hash_bytes(value, hash_bytes(parameter->name, 4)) | 1;
    return true;
}

/* Parameters have no order: their hashes are added. */
static uint64_t query_hash(const struct plan_pattern *pattern)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        const struct plan_parameter *parameter = &pattern->parameters[i];
        uint64_t hash;

        sum += fixed_hash(parameter, &hash) ? hash : open_hash(parameter);
    }
    return sum;
}

/* The query hashes of all sources whose parameters these may be. */
static uint32_t query_hashes(const struct plan_pattern *pattern, uint64_t hashes[COMBINATION_LIMIT])
{
    uint32_t count = 1;

    hashes[0] = 0;
    if (!pattern || pattern->parameter_count == 0)
        return 1;
    if (pattern->parameter_count > PARAMETER_LIMIT) {
        hashes[1] = query_hash(pattern);
        return 2;
    }
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        const struct plan_parameter *parameter = &pattern->parameters[i];
        uint32_t before = count;
        uint64_t hash;

        for (uint32_t k = 0; k < before; k++) {
            hashes[count++] = hashes[k] + open_hash(parameter);
            if (fixed_hash(parameter, &hash))
                hashes[count++] = hashes[k] + hash;
        }
    }
    return count;
}

static uint64_t key_of(uint64_t lead, uint64_t query, const struct ends *ends, uint32_t start_size, uint32_t end_size)
{
    uint64_t key = hash_bytes(slice_of(ends->start, start_size), lead + 2 + query);

    key = hash_bytes(slice_of(ends->end, end_size), key);
    return key ? key : 1;
}

static uint64_t exact_key(uint64_t lead, uint64_t query) { return hash_mix((lead ^ HASH_MULTIPLIER2) + query) | 1; }

/* Of a fixed segment behind an open one, with its number; never 0. */
static uint64_t behind_hash(uint32_t number, struct slice text) { return hash_segment(hash_mix(number + 3), text) | 1; }

static uint64_t path_lead(uint64_t lead, struct slice path)
{
    const char *at = path.data;
    struct slice text;

    while (next_segment(&at, path.data + path.size, &text))
        lead = hash_segment(lead, text);
    return lead;
}

static struct slot *find(const struct source_index *index, uint64_t key)
{
    size_t mask = index->slot_count - 1, at = key & mask;

    while (index->slots[at].key && index->slots[at].key != key)
        at = (at + 1) & mask;
    return &index->slots[at];
}

static void add(struct source_index *index, uint32_t rule, uint64_t key)
{
    struct slot *slot = find(index, key);

    index->next[rule] = slot->key ? slot->first : 0;
    slot->key = key;
    slot->first = rule + 1;
}

/* Its hash; 0: all that follows is open. */
static uint64_t first_behind(struct source_index *index, const struct plan_pattern *pattern, uint32_t open_at)
{
    for (uint32_t i = open_at + 1; i < pattern->head_count; i++) {
        if (!segment_is_fixed(pattern, i))
            continue;
        index->has_behind[i] = index->has_any_behind = true;
        return behind_hash(i, pattern->head[i].parts[0].text);
    }
    return 0;
}

static void add_rule(struct source_index *index, uint32_t number)
{
    const struct plan_rule *rule = &index->plan->rules[number];
    const struct plan_action *action = &index->plan->actions[rule->action];
    uint64_t lead = hash_start(action->site, action->is_override);
    struct ends ends = { .start_size = 0 };
    uint32_t at = 0;

    if (!plan_pattern(rule)) {
        add(index, number, exact_key(path_lead(lead, plan_path(rule)), 0));
        return;
    }
    if (plan_pattern(rule)->regex.size)
        return;
    while (at < plan_pattern(rule)->head_count && segment_is_fixed(plan_pattern(rule), at))
        lead = hash_segment(lead, plan_pattern(rule)->head[at++].parts[0].text);
    if (at == plan_pattern(rule)->head_count && plan_pattern(rule)->tail == PLAN_TAIL_NONE) {
        add(index, number, exact_key(lead, query_hash(plan_pattern(rule))));
        return;
    }
    if (at < plan_pattern(rule)->head_count)
        take_segment(&ends, &plan_pattern(rule)->head[at],
                     plan_pattern(rule)->tail == PLAN_TAIL_BELOW && at + 1 == plan_pattern(rule)->head_count);
    index->has_ends[ends.start_size][ends.end_size] = true;
    add(index, number, key_of(lead, query_hash(plan_pattern(rule)) + first_behind(index, plan_pattern(rule), at), &ends,
                              ends.start_size, ends.end_size));
}

static bool is_indexed(const struct plan_rule *rule, const struct plan *plan, const bool *has_exact)
{
    return plan_pattern(rule) || has_exact[plan->actions[rule->action].site];
}

struct source_index *source_index_open(const struct plan *plan, const bool *has_exact)
{
    struct source_index *index = memory_resize(NULL, 1, sizeof *index);
    size_t count = 0;

    *index = (struct source_index){ .plan = plan, .slot_count = 64 };
    for (uint32_t i = 0; i < plan->rule_count; i++)
        count += is_indexed(&plan->rules[i], plan, has_exact);
    while (index->slot_count < 2 * count)
        index->slot_count *= 2;
    index->slots = memory_resize(NULL, index->slot_count, sizeof *index->slots);
    memset(index->slots, 0, index->slot_count * sizeof *index->slots);
    index->next = memory_resize(NULL, plan->rule_count + 1u, sizeof *index->next);
    for (uint32_t i = 0; i < plan->action_count; i++)
        index->has_overrides |= plan->actions[i].is_override;
    for (uint32_t i = plan->rule_count; i-- > 0;)
        if (is_indexed(&plan->rules[i], plan, has_exact))
            add_rule(index, i);
    return index;
}

void source_index_close(struct source_index *index)
{
    free(index->slots);
    free(index->next);
    free(index);
}

struct search {
    const struct source_index *index;
    uint32_t self, count, limit;
    uint32_t *found;
    uint64_t queries[COMBINATION_LIMIT];
    uint32_t query_count;
    struct {
        uint32_t number;
        uint64_t hash;
    } behind[PLAN_SEGMENT_LIMIT]; /* fixed segments of the source that may stand behind an open one */
    uint32_t behind_count;
};

static void collect(struct search *search, uint64_t key)
{
    const struct slot *slot = find(search->index, key);

    for (uint32_t at = slot->key ? slot->first : 0; at && search->count < search->limit;
         at = search->index->next[at - 1])
        if (at - 1 != search->self)
            search->found[search->count++] = at - 1;
}

static void add_behind(struct search *search, uint32_t number, struct slice text)
{
    if (number >= PLAN_SEGMENT_LIMIT || !search->index->has_behind[number])
        return;
    search->behind[search->behind_count].number = number;
    search->behind[search->behind_count++].hash = behind_hash(number, text);
}

/* All chains at one lead, which ends before segment `number`, whose fixed bytes and segments the source has. */
static void collect_lead(struct search *search, uint64_t lead, uint32_t number, const struct ends *ends)
{
    for (uint32_t start = 0; start <= ends->start_size; start++)
        for (uint32_t end = 0; end <= ends->end_size; end++)
            for (uint32_t i = 0; i < search->query_count && search->index->has_ends[start][end]; i++) {
                collect(search, key_of(lead, search->queries[i], ends, start, end));
                for (uint32_t b = 0; b < search->behind_count; b++)
                    if (search->behind[b].number > number)
                        collect(search, key_of(lead, search->queries[i] + search->behind[b].hash, ends, start, end));
            }
}

static void search_path(struct search *search, uint64_t lead, struct slice path)
{
    const char *at = path.data, *end = at + path.size;
    struct slice text;
    uint32_t number = 0;

    while (search->index->has_any_behind && next_segment(&at, end, &text))
        add_behind(search, number++, text);
    at = path.data;
    for (number = 0; next_segment(&at, end, &text); number++) {
        struct ends ends = { .start_size = 0 };

        take_start(&ends, text);
        take_end(&ends, text);
        collect_lead(search, lead, number, &ends);
        lead = hash_segment(lead, text);
    }
    collect_lead(search, lead, number, &(struct ends){ .start_size = 0 });
    collect(search, exact_key(lead, 0));
}

static void search_pattern(struct search *search, uint64_t lead, const struct plan_pattern *pattern)
{
    for (uint32_t at = 0; at < pattern->head_count; at++)
        if (segment_is_fixed(pattern, at))
            add_behind(search, at, pattern->head[at].parts[0].text);
    for (uint32_t at = 0; at < pattern->head_count; at++) {
        struct ends ends = { .start_size = 0 };

        take_segment(&ends, &pattern->head[at],
                     pattern->tail == PLAN_TAIL_BELOW && at + 1 == pattern->head_count);
        collect_lead(search, lead, at, &ends);
        if (!segment_is_fixed(pattern, at))
            return;
        lead = hash_segment(lead, pattern->head[at].parts[0].text);
    }
    collect_lead(search, lead, pattern->head_count, &(struct ends){ .start_size = 0 });
    for (uint32_t i = 0; i < search->query_count && pattern->tail == PLAN_TAIL_NONE; i++)
        collect(search, exact_key(lead, search->queries[i]));
}

uint32_t source_index_holders(const struct source_index *index, uint32_t rule, const struct plan_rule *own, uint32_t site,
                              bool overrides, uint32_t *found, uint32_t limit)
{
    struct search search = { .index = index, .self = rule, .limit = limit, .found = found };
    uint64_t lead = hash_start(site, overrides);

    if (overrides && !index->has_overrides)
        return 0;
    search.query_count = query_hashes(plan_pattern(own), search.queries);
    if (!plan_pattern(own))
        search_path(&search, lead, plan_path(own));
    else if (plan_pattern(own)->regex.size == 0)
        search_pattern(&search, lead, plan_pattern(own));
    return search.count;
}
