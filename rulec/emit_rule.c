/* SPDX-License-Identifier: Apache-2.0 */
/* What both sorts of records share: actions, lists, templates and choices. */
#include "rulec/emit_build.h"

#include "mod_redir307/choice.h"
#include "mod_redir307/target.h"
#include "rulec/emit_condition.h"

const struct emit_site *emit_rule_site(const struct emit_build *build, const struct plan_rule *rule)
{
    return &build->scopes.sites[build->plan->actions[rule->action].site];
}

uint32_t emit_rule_scope(const struct emit_build *build, const struct plan_rule *rule, uint32_t member)
{
    const struct emit_member *own = &emit_rule_site(build, rule)->members[member];

    return build->plan->actions[rule->action].is_override ? own->override_scope : own->scope;
}

uint32_t emit_place(const struct emit_build *build, const struct plan_rule *rule)
{
    return source_line_in_all(build->plan->sources, rule->span.at);
}

uint32_t emit_list(struct emit_build *build, const struct slice *items, uint32_t count)
{
    struct bytes list = { 0 };

    if (count == 0) return 0;
    if (build->lists.bytes.size == 0) bytes_add(&build->lists.bytes, 4);
    bytes_put_u16(&list, count);
    for (uint32_t i = 0; i < count; i++) bytes_put_slice(&list, items[i]);
    uint64_t at = bytes_pool_add(&build->lists, slice_of((const char *)list.data, list.size));
    bytes_free(&list);
    return (uint32_t)at;
}

static uint32_t emit_headers(struct emit_build *build, const struct plan_action *action)
{
    struct slice *items = arena_array(build->plan->arena, 2 * action->header_count + 1u, sizeof *items);

    for (uint32_t i = 0; i < action->header_count; i++) {
        items[2 * i] = action->headers[i].name;
        items[2 * i + 1] = action->headers[i].value;
    }
    return emit_list(build, items, 2 * action->header_count);
}

static uint8_t cache_kind(enum plan_cache_kind kind)
{
    switch (kind) {
    case PLAN_CACHE_UNSAID: return RULESET_CACHE_UNSAID;
    case PLAN_CACHE_DEFAULT: return RULESET_CACHE_DEFAULT;
    case PLAN_CACHE_NONE: return RULESET_CACHE_NONE;
    case PLAN_CACHE_SHARED: return RULESET_CACHE_SHARED;
    case PLAN_CACHE_PRIVATE: return RULESET_CACHE_PRIVATE;
    }
    return RULESET_CACHE_UNSAID;
}

static uint8_t query_kind(enum plan_query_kind kind)
{
    switch (kind) {
    case PLAN_QUERY_KEEP: return RULESET_QUERY_KEEP;
    case PLAN_QUERY_DROP: return RULESET_QUERY_DROP;
    case PLAN_QUERY_ONLY: return RULESET_QUERY_ONLY;
    case PLAN_QUERY_EXCEPT: return RULESET_QUERY_EXCEPT;
    }
    return RULESET_QUERY_KEEP;
}

uint32_t emit_action(struct emit_build *build, const struct plan_rule *rule, uint32_t member)
{
    const struct plan_action *action = &build->plan->actions[rule->action];
    struct bytes *section = &build->sections[RULESET_ACTIONS];
    uint32_t **numbers = &build->action_numbers[rule->action];

    if (!*numbers) {
        *numbers = arena_array(build->plan->arena, emit_rule_site(build, rule)->member_count + 1u, sizeof **numbers);
    }
    if ((*numbers)[member]) return (*numbers)[member];
    if (section->size == 0) bytes_add(section, sizeof(struct ruleset_action));

    const struct ruleset_action written = {
        .scope = emit_rule_scope(build, rule, member),
        .status_get = action->status_get,
        .status_other = action->status_other,
        .cache_seconds = action->cache_seconds,
        .cache_kind = cache_kind(action->cache),
        .query_kind = query_kind(action->query.kind),
        .flags = (uint16_t)((action->is_pass ? RULESET_ACTION_PASS : 0)
                            | (action->redirects_preflight ? RULESET_ACTION_PREFLIGHT : 0)),
        .query_names = emit_list(build, action->query.names, action->query.name_count),
        .conditions = emit_conditions(build, action),
        .headers = emit_headers(build, action),
        .vary = emit_list(build, action->vary, action->vary_count),
    };
    (*numbers)[member] = (uint32_t)(section->size / sizeof written);
    bytes_put(section, &written, sizeof written);
    return (*numbers)[member];
}

uint32_t emit_action_word(struct emit_build *build, const struct plan_rule *rule, uint32_t member, bool ends_in_slash)
{
    uint32_t flags = (ends_in_slash ? RULESET_RULE_SLASH : 0u)
                   | (rule->flags & PLAN_SLASH_EXACT ? RULESET_RULE_SLASH_EXACT : 0u)
                   | (rule->flags & PLAN_CASE_IGNORE ? RULESET_RULE_CASE_IGNORE : 0u)
                   | (plan_template(rule) ? RULESET_RULE_TEMPLATE : 0u)
                   | (plan_choice(rule) ? RULESET_RULE_CHOICE : 0u);

    return emit_action(build, rule, member) | flags << RULESET_FLAG_SHIFT;
}

static unsigned piece_kind(enum plan_piece_kind kind)
{
    switch (kind) {
    case PLAN_PIECE_TEXT: return TARGET_TEXT;
    case PLAN_PIECE_CAPTURE: return TARGET_CAPTURE;
    case PLAN_PIECE_QUERY_CAPTURE: return TARGET_QUERY_CAPTURE;
    case PLAN_PIECE_HOST_CAPTURE: return TARGET_HOST_CAPTURE;
    case PLAN_PIECE_HOST: return TARGET_HOST;
    case PLAN_PIECE_PATH: return TARGET_PATH;
    case PLAN_PIECE_QUERY: return TARGET_QUERY;
    case PLAN_PIECE_SCHEME: return TARGET_SCHEME;
    }
    return TARGET_TEXT;
}

static unsigned piece_place(enum plan_piece_place place)
{
    switch (place) {
    case PLAN_IN_AUTHORITY: return TARGET_IN_AUTHORITY;
    case PLAN_IN_PATH: return TARGET_IN_PATH;
    case PLAN_IN_QUERY: return TARGET_IN_QUERY;
    case PLAN_IN_VALUE: return TARGET_IN_VALUE;
    case PLAN_IN_FRAGMENT: return TARGET_IN_FRAGMENT;
    }
    return TARGET_IN_VALUE;
}

static unsigned piece_transforms(unsigned transforms)
{
    return (transforms & PLAN_LOWER ? TARGET_LOWER : 0u) | (transforms & PLAN_UPPER ? TARGET_UPPER : 0u)
         | (transforms & PLAN_DASHES ? TARGET_DASHES : 0u);
}

static struct slice encode_template(struct emit_build *build, const struct plan_template *template,
                                    uint32_t capture_base)
{
    struct bytes out = { 0 };
    unsigned flags = (template->is_https ? TARGET_IS_HTTPS : 0u)
                   | (template->drops_last_slash ? TARGET_DROPS_LAST_SLASH : 0u);

    for (uint32_t i = 0; i < template->piece_count; i++) {
        if (template->pieces[i].kind == PLAN_PIECE_QUERY) flags |= TARGET_USES_QUERY;
    }
    bytes_put_u8(&out, flags);
    for (uint32_t i = 0; i < template->piece_count; i++) {
        const struct plan_piece *piece = &template->pieces[i];

        bytes_put_u8(&out, piece_kind(piece->kind));
        if (piece->kind == PLAN_PIECE_TEXT) {
            bytes_put_slice(&out, piece->text);
            continue;
        }
        bytes_put_u8(&out, piece->capture + (piece->kind == PLAN_PIECE_HOST_CAPTURE ? capture_base : 0));
        bytes_put_u8(&out, piece_place(piece->place));
        bytes_put_u8(&out, piece_transforms(piece->transforms));
    }
    struct slice encoded = arena_copy(build->plan->arena, slice_of((const char *)out.data, out.size));
    bytes_free(&out);
    return encoded;
}

static unsigned choice_by(enum plan_by by)
{
    switch (by) {
    case PLAN_BY_ACCEPT: return CHOICE_BY_ACCEPT;
    case PLAN_BY_LANGUAGE: return CHOICE_BY_LANGUAGE;
    case PLAN_BY_HEADER: return CHOICE_BY_HEADER;
    case PLAN_BY_COOKIE: return CHOICE_BY_COOKIE;
    case PLAN_BY_METHOD: return CHOICE_BY_METHOD;
    case PLAN_BY_CLIENT: return CHOICE_BY_CLIENT;
    case PLAN_BY_CHANCE: return CHOICE_BY_CHANCE;
    }
    return CHOICE_BY_NONE;
}

static struct slice encode_choice(struct emit_build *build, const struct plan_choice *choice, uint32_t capture_base)
{
    struct bytes out = { 0 };

    bytes_put_u8(&out, choice_by(choice->by));
    bytes_put_slice(&out, choice->name);
    bytes_put_u16(&out, choice->line_count);
    for (uint32_t i = 0; i < choice->line_count; i++) {
        const struct plan_choice_line *line = &choice->lines[i];

        bytes_put_u8(&out, (line->is_otherwise ? CHOICE_OTHERWISE : 0u) | (line->template ? CHOICE_TEMPLATE : 0u));
        bytes_put_u16(&out, line->status_get);
        bytes_put_u16(&out, line->status_other);
        bytes_put(&out, &line->weight, sizeof line->weight);
        bytes_put_u16(&out, line->key_count);
        for (uint32_t k = 0; k < line->key_count; k++) bytes_put_slice(&out, line->keys[k]);
        bytes_put_slice(&out, line->template ? encode_template(build, line->template, capture_base) : line->target);
    }
    struct slice encoded = arena_copy(build->plan->arena, slice_of((const char *)out.data, out.size));
    bytes_free(&out);
    return encoded;
}

struct slice emit_target(struct emit_build *build, const struct plan_rule *rule, uint32_t member)
{
    if (!plan_template(rule) && !plan_choice(rule)) return plan_target(rule);

    uint32_t capture_base = emit_rule_site(build, rule)->members[member].capture_base;
    struct slice encoded = plan_choice(rule) ? encode_choice(build, plan_choice(rule), capture_base)
                                        : encode_template(build, plan_template(rule), capture_base);
    if (encoded.size > UINT16_MAX) {
        diag_error(build->diag, DIAG_TOO_LARGE, rule->span, "this target takes %zu bytes of at most 65535",
                   encoded.size);
    }
    return encoded;
}
