/* SPDX-License-Identifier: Apache-2.0 */
/* All shapes but the plain exact path. The leading segments are walked from the top over a bitmap that tells whether
 * any such rule lives there or below, so a path without one stops at its first segment; each shape that remains costs
 * one probe with the hash of its fixed parts. */
#include "mod_redir307/index.h"
#include "mod_redir307/lookup_collect.h"

static void find_segments(struct lookup *lookup)
{
    struct slice path = lookup->bare;
    unsigned count = 0;

    if (lookup->segments_are_done) return;
    lookup->segments_are_done = true;
    lookup->segment_end[0] = 0;
    if (path.size > 1) {
        for (size_t i = 1; i <= path.size; i++) {
            if (i < path.size && path.data[i] != '/') continue;
            count++;
            if (count <= PATTERN_SEGMENT_LIMIT) lookup->segment_end[count] = (uint16_t)i;
        }
    }
    lookup->segment_count = count;
}

/* Reads no further than rules live: most paths end at their first segment. */
void lookup_walk_path(const struct ruleset *rs, uint32_t scope, struct slice bare, struct lookup_walk *walk)
{
    size_t end = 0;

    walk->is_done = true;
    walk->here = 0;
    for (unsigned depth = 0; depth <= PATTERN_SEGMENT_LIMIT; depth++) {
        uint64_t hash = hash_path(slice_of(bare.data, end), rs->header.seed, scope);
        struct index_ancestor at = index_ancestor(rs, hash);

        walk->hash[depth] = hash;
        if (at.is_here) walk->here |= 1ull << depth;
        if (!at.is_above || end + 1 >= bare.size) return;
        for (end++; end < bare.size && bare.data[end] != '/'; end++) continue;
    }
}

/* The fixed part of a segment; false where the segment is too short. */
static bool part_text(const struct lookup *lookup, const struct ruleset_shape_part *part, const char *text,
                      struct slice *start, struct slice *end)
{
    size_t from, to;

    if (part->segment & RULESET_PART_FROM_END) {
        unsigned back = part->segment & (RULESET_PART_FROM_END - 1u);

        to = lookup->bare.size;
        for (;;) {
            from = to;
            while (from > 0 && text[from - 1] != '/') from--;
            if (from == 0) return false;
            if (back-- == 0) break;
            to = from - 1;
        }
    } else {
        if (part->segment >= PATTERN_SEGMENT_LIMIT || part->segment >= lookup->segment_count) return false;
        from = (size_t)lookup->segment_end[part->segment] + 1;
        to = lookup->segment_end[part->segment + 1];
    }
    if (part->prefix == RULESET_PART_WHOLE) {
        *start = slice_of(text + from, to - from);
        *end = slice_of(text + to, 0);
        return true;
    }
    if (to - from < (size_t)part->prefix + part->suffix) return false;
    *start = slice_of(text + from, part->prefix);
    *end = slice_of(text + to - part->suffix, part->suffix);
    return true;
}

static bool depth_fits(const struct lookup *lookup, const struct ruleset_shape *shape)
{
    switch (shape->kind) {
    case RULESET_SHAPE_WHOLE: return true;
    case RULESET_SHAPE_HEAD: return lookup->segment_count == shape->head_count;
    case RULESET_SHAPE_SUBTREE:
    case RULESET_SHAPE_BELOW: return lookup->segment_count >= shape->head_count;
    case RULESET_SHAPE_REGEX: return true;
    case RULESET_SHAPE_MANY: return lookup->segment_count >= shape->head_count + 1u + shape->rest_count;
    default: return false;
    }
}

bool lookup_match_pattern(struct lookup *lookup, const struct ruleset_pattern_view *rule,
                          struct pattern_capture *captures, unsigned *cost)
{
    const struct pattern_flags flags = {
        .ignores_case = rule->flags & RULESET_RULE_CASE_IGNORE,
        .ends_in_slash = rule->flags & RULESET_RULE_SLASH,
        .is_slash_exact = rule->flags & RULESET_RULE_SLASH_EXACT,
    };
    const struct pattern_subject subject = {
        .regexes = lookup->ruleset->regexes,
        .regex = lookup->key->regex,
        .path = lookup->path,
        .parameters = lookup->parameters,
        .parameter_count = lookup->parameter_count,
    };

    return pattern_match(rule->program, flags, &subject, captures, cost);
}

static void probe(struct lookup *lookup, uint64_t key)
{
    const struct ruleset *rs = lookup->ruleset;
    uint32_t references[INDEX_CANDIDATES];
    unsigned count = index_find(&rs->views[RULESET_PATTERN_INDEX], key, references);

    for (unsigned i = 0; i < count; i++) {
        uint64_t at = (uint64_t)references[i] * 4;

        for (unsigned k = 0; k < RULESET_CHAIN_LIMIT; k++) {
            struct ruleset_pattern_view rule;
            struct ruleset_action action;
            struct lookup_match match = { .at = at };

            if (!ruleset_get_pattern(rs, at, &rule) || !ruleset_get_action(rs, rule.action, &action)) break;
            if (action.scope != lookup->scope) break; /* another key with this fingerprint */
            if (lookup_match_pattern(lookup, &rule, NULL, &match.cost)) {
                match.rank = rule.head.rank;
                match.order = rule.head.order;
                lookup_add(lookup, &match);
            }
            if (!(rule.flags & RULESET_RULE_MORE)) break;
            at = rule.next_at;
        }
    }
}

/* One wanted parameter after the other; those with a fixed value try each occurrence that the request has. */
static void probe_parameters(struct lookup *lookup, const struct ruleset_shape *shape, uint64_t key)
{
    const struct ruleset *rs = lookup->ruleset;
    struct ruleset_shape_parameter wanted[PATTERN_PARAMETER_LIMIT];
    unsigned chosen[PATTERN_PARAMETER_LIMIT];
    uint64_t keys[PATTERN_PARAMETER_LIMIT + 1];
    unsigned depth = 0, combinations = 0;

    if (shape->parameter_count > PATTERN_PARAMETER_LIMIT
        || !ruleset_get(rs, RULESET_SHAPE_PARAMETERS, (uint64_t)shape->parameter_first * sizeof wanted[0], wanted,
                        shape->parameter_count * sizeof wanted[0])) {
        return;
    }
    keys[0] = key;
    chosen[0] = 0;
    for (;;) {
        if (depth == shape->parameter_count) {
            probe(lookup, keys[depth]);
            if (++combinations == LOOKUP_COMBINATION_LIMIT) return;
        } else {
            unsigned i = chosen[depth];

            while (i < lookup->parameter_count && (uint32_t)lookup->parameters[i].name_hash != wanted[depth].name_hash) {
                i++;
            }
            if (i < lookup->parameter_count) {
                const struct pattern_parameter *parameter = &lookup->parameters[i];

                /* Any occurrence will do where the value is not fixed: the next visit ends the row. */
                chosen[depth] = wanted[depth].is_fixed ? i + 1 : LOOKUP_PARAMETER_LIMIT;
                keys[depth + 1] = keys[depth];
                if (wanted[depth].is_fixed) {
                    keys[depth + 1] = hash_shape_add(keys[depth], hash_parameter(
                        parameter->name_hash, hash_bytes(parameter->value, rs->header.seed)));
                }
                depth++;
                if (depth < shape->parameter_count) chosen[depth] = 0;
                continue;
            }
        }
        if (depth == 0) return;
        depth--;
    }
}

static void probe_shape(struct lookup *lookup, const struct ruleset_shape *shape, uint32_t shape_index)
{
    bool folds = shape->flags & RULESET_SHAPE_CASE_IGNORE && lookup_fold(lookup);
    const char *text = folds ? lookup->folded.data : lookup->path.data;
    uint64_t lead;

    if (shape->kind == RULESET_SHAPE_WHOLE) {
        if (shape->part_count) return; /* a damaged shape: segments are not looked for here */
        lead = hash_path(slice_of(text, lookup->bare.size), lookup->ruleset->header.seed, lookup->scope);
    } else {
        struct lookup_walk *walk = folds ? &lookup->folded_walk : &lookup->walk;

        if (!walk->is_done) {
            lookup_walk_path(lookup->ruleset, lookup->scope, slice_of(text, lookup->bare.size), walk);
        }
        if (shape->lead > PATTERN_SEGMENT_LIMIT || !(walk->here >> shape->lead & 1)) return;
        find_segments(lookup);
        if (!depth_fits(lookup, shape)) return;
        lead = walk->hash[shape->lead];
    }

    uint64_t key = hash_shape_start(lead, shape_index);
    for (unsigned i = 0; i < shape->part_count && i < RULESET_SHAPE_PARTS; i++) {
        struct slice start, end;

        if (!part_text(lookup, &shape->parts[i], text, &start, &end)) return;
        key = hash_shape_add(key, hash_bytes(start, lookup->ruleset->header.seed));
        if (end.size) key = hash_shape_add(key, hash_bytes(end, lookup->ruleset->header.seed));
    }
    if (shape->parameter_count == 0) {
        probe(lookup, key);
    } else if (lookup->key->has_query) {
        lookup_read_parameters(lookup);
        probe_parameters(lookup, shape, key);
    }
}

/* Reads the next shape, so that lookup_next can tell what ranks before it. */
static void read_shape(struct lookup *lookup)
{
    uint64_t index = (uint64_t)lookup->scope_head.shape_first + lookup->shape_next;

    if (lookup->shape_next < lookup->shape_end
        && !ruleset_get(lookup->ruleset, RULESET_SHAPES, index * sizeof lookup->shape, &lookup->shape, sizeof lookup->shape)) {
        lookup->shape_end = lookup->shape_next;
    }
}

void lookup_begin_shapes(struct lookup *lookup, unsigned first, unsigned end)
{
    lookup->shape_next = first;
    lookup->shape_end = end < RULESET_SHAPE_LIMIT ? end : RULESET_SHAPE_LIMIT;
    read_shape(lookup);
}

void lookup_collect_shape(struct lookup *lookup)
{
    /* Room for all that can wait. */
    if (lookup->found_next > 0) {
        lookup->found_count -= lookup->found_next;
        memmove(lookup->found, lookup->found + lookup->found_next, lookup->found_count * sizeof lookup->found[0]);
        lookup->found_next = 0;
    }
    if (lookup->has_dropped && lookup->dropped.rank < lookup->shape.best_rank) {
        lookup->shape_end = lookup->shape_next; /* all of it would be dropped, too */
        return;
    }
    probe_shape(lookup, &lookup->shape, lookup->scope_head.shape_first + lookup->shape_next);
    lookup->shape_next++;
    read_shape(lookup);
}
