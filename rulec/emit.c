/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the file together: scopes and hosts, rules, tables, then the header with its digests. Nothing of the machine
 * (time, path, order of memory, number of threads) gets into it. */
#include "rulec/emit.h"

#include "mod_redir307/answer.h"
#include "mod_redir307/ruleset_read.h"
#include "rulec/emit_build.h"
#include "rulec/emit_index.h"
#include "rulec/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SEED_TRIES = 8 };

static bool holds_encoded_slash(struct slice text)
{
    const char *at = text.data, *end;

    if (text.size < 3) return false; /* no text has no data */
    end = at + text.size;
    while (end - at >= 3 && (at = memchr(at, '%', (size_t)(end - at - 2))) != NULL) {
        if (at[1] == '2' && at[2] == 'F') return true;
        at++;
    }
    return false;
}

static bool segments_hold_encoded_slash(const struct plan_segment *segments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < segments[i].part_count; k++) {
            if (holds_encoded_slash(segments[i].parts[k].text)) return true;
        }
    }
    return false;
}

/* What is asked of all rules; several threads look at them. */
struct contents {
    const struct plan *plan;
    _Atomic uint64_t sum;
    atomic_bool has_encoded_slash, has_choice, has_long;
};

static bool is_long(const struct plan_rule *rule)
{
    return rule->path_size > URL_PATH_LIMIT || rule->target_size > ANSWER_LOCATION_LIMIT;
}

static bool rule_holds_encoded_slash(const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    return holds_encoded_slash(plan_path(rule))
        || (pattern && (segments_hold_encoded_slash(pattern->head, pattern->head_count)
                        || segments_hold_encoded_slash(pattern->rest, pattern->rest_count)));
}

static void look_at_rules(void *baton, uint32_t first, uint32_t end)
{
    struct contents *contents = baton;
    bool has_encoded_slash = false, has_choice = false, has_long = false;
    uint64_t sum = 0;

    for (uint32_t i = first; i < end; i++) {
        const struct plan_rule *rule = &contents->plan->rules[i];
        uint64_t seed = hash_mix(((uint64_t)rule->action << 32 | i) + HASH_MULTIPLIER);

        sum += hash_bytes(plan_target(rule), hash_bytes(plan_path(rule), seed));
        has_encoded_slash |= rule_holds_encoded_slash(rule);
        has_choice |= plan_choice(rule) != NULL;
        has_long |= is_long(rule);
    }
    atomic_fetch_add(&contents->sum, sum);
    if (has_encoded_slash) atomic_store(&contents->has_encoded_slash, true);
    if (has_choice) atomic_store(&contents->has_choice, true);
    if (has_long) atomic_store(&contents->has_long, true);
}

/* Made of the content: reproducible, and not to be foreseen by the author of a part of the rules. */
static uint64_t seed_of(const struct contents *contents)
{
    const struct plan *plan = contents->plan;
    uint64_t seed = plan->rule_count;

    for (uint32_t s = 0; s < plan->site_count; s++) {
        for (uint32_t h = 0; h < plan->sites[s].host_count; h++) seed = hash_bytes(plan->sites[s].hosts[h].name, seed);
    }
    return hash_mix(seed ^ contents->sum);
}

static bool reads_facts(const struct contents *contents)
{
    for (uint32_t i = 0; i < contents->plan->action_count; i++) {
        if (contents->plan->actions[i].condition_count) return true;
    }
    return contents->has_choice;
}

/* Each action is that of some rule. */
static void find_sites(const struct plan *plan, bool *has_rules, bool *has_overrides)
{
    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];

        *(action->is_override ? &has_overrides[action->site] : &has_rules[action->site]) = true;
    }
}

static unsigned host_kind(enum plan_host_kind kind)
{
    switch (kind) {
    case PLAN_HOST_EXACT: return RULESET_HOST_EXACT;
    case PLAN_HOST_APEX: return RULESET_HOST_APEX;
    case PLAN_HOST_BELOW: return RULESET_HOST_BELOW;
    case PLAN_HOST_ANY: return RULESET_HOST_ANY;
    }
    return RULESET_HOST_NONE;
}

static uint32_t label_count(struct slice name)
{
    uint32_t count = 1;

    for (size_t i = 0; i < name.size; i++) count += name.data[i] == '.';
    return count;
}

static void note_host(const struct plan_host *host, struct ruleset_header *header)
{
    if (host->port) header->flags |= RULESET_HAS_PORTS;
    if (host->kind == PLAN_HOST_EXACT) header->flags |= RULESET_HAS_EXACT_HOSTS;
    if (host->kind == PLAN_HOST_APEX) header->flags |= RULESET_HAS_APEX_HOSTS;
    if (host->kind == PLAN_HOST_BELOW) {
        uint32_t labels = label_count(host->name);

        header->flags |= RULESET_HAS_BELOW_HOSTS;
        if (labels > header->below_label_limit) header->below_label_limit = labels;
    }
}

static bool emit_hosts(struct emit_build *build, struct ruleset_header *header)
{
    struct bytes *section = &build->sections[RULESET_HOSTS];
    uint64_t *keys = memory_resize(NULL, build->scopes.host_count + 1u, sizeof *keys);
    uint32_t *references = memory_resize(NULL, build->scopes.host_count + 1u, sizeof *references);

    for (uint32_t i = 0; i < build->scopes.host_count; i++) {
        const struct emit_host *host = &build->scopes.hosts[i];
        struct bytes record = { 0 };
        struct ruleset_host head = {
            .scope = host->scope, .override_scope = host->override_scope, .port = host->host->port,
            .name_size = (uint16_t)host->host->name.size, .kind = (uint8_t)host_kind(host->host->kind),
            .capture_count = (uint8_t)host->capture_count };

        if (host->override_scope) header->flags |= RULESET_HAS_OVERRIDES;
        note_host(host->host, header);
        if (host->host->kind == PLAN_HOST_ANY && host->host->port == 0) {
            header->any_scope = host->scope;
            header->any_override_scope = host->override_scope;
        }
        bytes_put(&record, &head, sizeof head);
        bytes_put(&record, host->host->name.data, host->host->name.size);
        for (uint32_t k = 0; k < host->capture_count; k++) bytes_put_slice(&record, host->captures[k]);
        head.size = (uint16_t)record.size;
        memcpy(record.data, &head, sizeof head);

        keys[i] = hash_host(host->host->name, head.kind, head.port, build->seed);
        references[i] = (uint32_t)(section->size / 8);
        bytes_put(section, record.data, record.size);
        bytes_align(section, 8);
        bytes_free(&record);
    }
    const struct emit_index_input input = { .keys = keys, .count = build->scopes.host_count };
    bool fits = emit_index(&input, &build->sections[RULESET_HOST_INDEX]);
    if (fits) emit_index_refer(&build->sections[RULESET_HOST_INDEX], references);
    free(keys);
    free(references);
    return fits;
}

/* Before any key is hashed: where one rule ignores case, all exact keys of its scopes are in lower case. */
static void find_ignored_case(struct emit_build *build)
{
    for (uint32_t i = 0; i < build->plan->rule_count; i++) {
        const struct plan_rule *rule = &build->plan->rules[i];

        if (!(rule->flags & PLAN_CASE_IGNORE)) continue;
        for (uint32_t m = 0; m < emit_rule_site(build, rule)->member_count; m++) {
            build->scope_ignores_case[emit_rule_scope(build, rule, m)] = true;
        }
    }
}

static void emit_scope_table(struct emit_build *build)
{
    struct ruleset_scope *scopes = bytes_add(&build->sections[RULESET_SCOPES],
                                             (build->scopes.scope_count + 1u) * sizeof *scopes);

    for (uint32_t i = 0; i < build->scopes.host_count; i++) {
        uint32_t override_scope = build->scopes.hosts[i].override_scope;

        if (override_scope) scopes[override_scope].flags |= RULESET_SCOPE_IS_OVERRIDE;
    }
}

static void finish_scopes(struct emit_build *build)
{
    struct ruleset_scope *scopes = (struct ruleset_scope *)(void *)build->sections[RULESET_SCOPES].data;

    for (uint32_t i = 1; i <= build->scopes.scope_count; i++) {
        if (build->scope_ignores_case[i]) scopes[i].flags |= RULESET_SCOPE_HAS_CASE_IGNORE;
        if (!build->scope_exact_chain[i]) continue;
        scopes[i].flags |= RULESET_SCOPE_HAS_EXACT;
        scopes[i].worst_probes += (uint32_t)emit_searches(build->scope_exact_chain[i]) * EMIT_PROBE_LINES;
    }
}

/* The most index lines of one request: all scopes that one host can lead to, and the lines that find them. */
static uint32_t worst_probes(const struct emit_build *build, const struct ruleset_header *header)
{
    const struct ruleset_scope *scopes = (const struct ruleset_scope *)(const void *)build->sections[RULESET_SCOPES].data;
    uint64_t worst_exact = 0, worst_apex = 0, below = 0, any = 0, hosts = 0;
    unsigned levels = header->flags & RULESET_HAS_PORTS ? 2 : 1;

    for (uint32_t i = 0; i < build->scopes.host_count; i++) {
        const struct emit_host *host = &build->scopes.hosts[i];
        uint64_t cost = (uint64_t)scopes[host->scope].worst_probes + scopes[host->override_scope].worst_probes;

        if (host->host->kind == PLAN_HOST_EXACT && cost > worst_exact) worst_exact = cost;
        if (host->host->kind == PLAN_HOST_APEX && cost > worst_apex) worst_apex = cost;
        if (host->host->kind == PLAN_HOST_BELOW && cost > below) below = cost;
        if (host->host->kind == PLAN_HOST_ANY && cost > any) any = cost;
    }
    below *= header->below_label_limit;
    if (header->flags & RULESET_HAS_EXACT_HOSTS) hosts++;
    if (header->flags & RULESET_HAS_APEX_HOSTS) hosts++;
    hosts += header->below_label_limit;
    hosts *= levels;
    if (header->flags & RULESET_HAS_PORTS) hosts++; /* `*` at a port; without one the header names it */
    if (header->flags & RULESET_HAS_OVERRIDES) hosts *= 2;
    uint64_t all = levels * (worst_exact + worst_apex + below + any) + EMIT_PROBE_LINES * hosts;
    return all < UINT32_MAX ? (uint32_t)all : UINT32_MAX;
}

static void emit_sources(struct emit_build *build)
{
    const struct source_set *sources = build->plan->sources;

    for (size_t i = 0; i < source_count(sources); i++) {
        const struct source *source = source_at(sources, i);
        struct slice name = slice_from_string(source->path);
        const struct ruleset_source written = { .name = emit_list(build, &name, 1), .first_place = source->first_line,
                                                .line_count = source->line_count };

        bytes_put(&build->sections[RULESET_SOURCES], &written, sizeof written);
    }
}

static void emit_notes(struct emit_build *build)
{
    for (uint32_t i = 0; i < build->plan->note_count; i++) {
        const struct plan_note *note = &build->plan->notes[i];
        const struct ruleset_note written = {
            .place = emit_place(build, &build->plan->rules[note->rule]),
            .note = note->note.size ? emit_list(build, &note->note, 1) : 0,
            .owner = note->owner.size ? emit_list(build, &note->owner, 1) : 0,
        };

        bytes_put(&build->sections[RULESET_NOTES], &written, sizeof written);
    }
}

/* What no request could ask for, and no answer could say. */
static void tell_long(const struct plan *plan, struct diag *diag)
{
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];

        if (!is_long(rule)) continue;
        if (plan_path(rule).size > URL_PATH_LIMIT) {
            diag_error(diag, DIAG_TOO_LARGE, rule->span, "this source has %zu bytes, %d are the limit of a request",
                       plan_path(rule).size, URL_PATH_LIMIT);
        }
        if (plan_target(rule).size > ANSWER_LOCATION_LIMIT) {
            diag_error(diag, DIAG_TOO_LARGE, rule->span, "this target has %zu bytes, %d are the limit",
                       plan_target(rule).size, ANSWER_LOCATION_LIMIT);
        }
    }
}

static void assemble(struct emit_build *build, struct ruleset_header *header, struct emit_result *result)
{
    uint64_t at = RULESET_PAGE;

    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        struct bytes *bytes = &build->sections[i];
        struct ruleset_section *section = &header->sections[i];
        uint64_t one = ruleset_item_size((enum ruleset_section_type)i);

        *section = (struct ruleset_section){ .type = i, .at = at, .size = bytes->size,
                                             .count = one ? bytes->size / one : section->count };
        at += (bytes->size + RULESET_PAGE - 1) / RULESET_PAGE * RULESET_PAGE;
    }
    header->file_size = at;
    uint8_t *file = memory_zeroed(at, 1);
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        struct ruleset_section *section = &header->sections[i];
        uint8_t *out = file + section->at;

        if (i == RULESET_EXACT) emit_exact_write(build, out);
        else if (section->size) memcpy(out, build->sections[i].data, section->size);
        bytes_free(&build->sections[i]);
        hash_put_digest(XXH3_128bits(out, section->size), section->digest);
    }
    memcpy(file, header, sizeof *header);
    hash_put_digest(XXH3_128bits(file, RULESET_PAGE), header->id);
    memcpy(file + offsetof(struct ruleset_header, id), header->id, sizeof header->id);
    *result = (struct emit_result){ .bytes = file, .size = at };
}

static void build_open(struct emit_build *build, const struct plan *plan, struct diag *diag, uint64_t seed,
                       const struct emit_scopes *scopes)
{
    *build = (struct emit_build){ .plan = plan, .diag = diag, .seed = seed, .scopes = *scopes };
    build->action_numbers = arena_array(plan->arena, plan->action_count + 1u, sizeof *build->action_numbers);
    build->scope_ignores_case = arena_array(plan->arena, scopes->scope_count + 1u, sizeof(bool));
    build->scope_exact_chain = arena_array(plan->arena, scopes->scope_count + 1u, sizeof *build->scope_exact_chain);
    build->zone_at = arena_array(plan->arena, plan->zone_count + 1u, sizeof *build->zone_at);
}

static void build_close(struct emit_build *build)
{
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) bytes_free(&build->sections[i]);
    emit_exact_free(build);
    bytes_pool_free(&build->lists);
    bytes_pool_free(&build->conditions);
    bytes_pool_free(&build->targets);
    bytes_pool_free(&build->regexes);
    free(build->regex_at);
}

/* A pool's bytes become a section. */
static void move(struct bytes *section, struct bytes_pool *pool)
{
    *section = pool->bytes;
    pool->bytes = (struct bytes){ 0 };
}

static void check_limits(const struct emit_build *build)
{
    static const struct {
        unsigned section;
        uint64_t limit;
        const char *what;
    } limits[] = {
        { RULESET_EXACT, UINT64_C(4) << 32, "exact rules" },
        { RULESET_PATTERNS, UINT64_C(4) << 32, "pattern rules" },
        { RULESET_TARGETS, UINT32_MAX, "targets that rules share" },
        { RULESET_LISTS, UINT32_MAX, "texts" },
        { RULESET_CONDITIONS, UINT32_MAX, "conditions" },
        { RULESET_ACTIONS, (uint64_t)RULESET_ACTION_MASK * sizeof(struct ruleset_action), "different actions" },
    };
    struct span nowhere = { 0, 0 };

    if (build->regex_count > RULESET_REGEX_LIMIT) {
        diag_error(build->diag, DIAG_TOO_LARGE, nowhere, "the rules have %u different regexes, %d are the limit",
                   build->regex_count, RULESET_REGEX_LIMIT);
    }
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        uint64_t size = build->sections[limits[i].section].size;

        if (size <= limits[i].limit) continue;
        diag_error(build->diag, DIAG_TOO_LARGE, nowhere, "the %s take %llu bytes, %llu are the limit", limits[i].what,
                   (unsigned long long)size, (unsigned long long)limits[i].limit);
    }
}

bool emit(const struct plan *plan, struct diag *diag, const struct emit_options *options, struct emit_result *result)
{
    bool *has_rules = arena_array(plan->arena, plan->site_count + 1u, sizeof(bool));
    bool *has_overrides = arena_array(plan->arena, plan->site_count + 1u, sizeof(bool));
    struct contents contents = { .plan = plan };
    struct emit_scopes scopes;
    size_t errors = diag_error_count(diag);

    *result = (struct emit_result){ 0 };
    parallel_ranges(plan->thread_count, plan->rule_count, look_at_rules, &contents);
    if (contents.has_long) {
        tell_long(plan, diag);
        return false;
    }
    find_sites(plan, has_rules, has_overrides);
    emit_scopes_make(plan, has_rules, has_overrides, &scopes);
    uint64_t seed = seed_of(&contents);
    for (unsigned i = 0; i < SEED_TRIES; i++, seed = hash_mix(seed + 1)) {
        struct emit_build build;
        struct ruleset_header header = {
            .magic = { 0 }, .major = RULESET_FORMAT_MAJOR, .minor = RULESET_FORMAT_MINOR, .hash_id = RULESET_HASH_XXH3_64,
            .seed = seed, .rule_count = plan->rule_count, .section_count = RULESET_SECTION_COUNT,
            .expect_count = plan->expect_count };
        bool fits;

        memcpy(header.magic, RULESET_MAGIC, RULESET_MAGIC_SIZE);
        build_open(&build, plan, diag, seed, &scopes);
        emit_scope_table(&build);
        find_ignored_case(&build);
        fits = emit_exact(&build) && emit_patterns(&build) && emit_hosts(&build, &header);
        if (diag_error_count(diag) > errors) {
            build_close(&build);
            return false;
        }
        if (!fits) {
            build_close(&build);
            continue;
        }
        finish_scopes(&build);
        emit_sources(&build);
        emit_notes(&build);
        if (options && options->label) {
            struct slice label = slice_from_string(options->label);

            header.label = emit_list(&build, &label, 1);
        }
        if (contents.has_encoded_slash) header.flags |= RULESET_HAS_ENCODED_SLASHES;
        if (reads_facts(&contents)) header.flags |= RULESET_READS_FACTS;
        header.exact_key_count = build.exact_key_count;
        header.pattern_key_count = build.pattern_key_count;
        header.worst_probes = worst_probes(&build, &header);
        header.sections[RULESET_HOSTS].count = scopes.host_count;
        header.sections[RULESET_CONDITIONS].count = build.conditions.used;
        move(&build.sections[RULESET_LISTS], &build.lists);
        move(&build.sections[RULESET_CONDITIONS], &build.conditions);
        move(&build.sections[RULESET_TARGETS], &build.targets);
        header.sections[RULESET_REGEXES].count = build.regex_count;
        move(&build.sections[RULESET_REGEXES], &build.regexes);
        check_limits(&build);
        if (diag_error_count(diag) == errors) assemble(&build, &header, result);
        build_close(&build);
        return diag_error_count(diag) == errors;
    }
    struct span nowhere = { 0, 0 };
    diag_error(diag, DIAG_TOO_LARGE, nowhere, "the rules do not fit into an index after %d seeds", SEED_TRIES);
    return false;
}

void emit_free(struct emit_result *result)
{
    free(result->bytes);
    *result = (struct emit_result){ 0 };
}
