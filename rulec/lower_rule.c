/* SPDX-License-Identifier: Apache-2.0 */
/* Puts source, target, status and scope of one rule together. Two rules need more than is
 * written: one whose source and target differ only in the last slash is `slash exact`, one
 * where they differ only in the scheme asks for it. */
#include "config.h"

#include "rulec/lower_rule.h"

#include "mod_redir307/url.h"
#include "rulec/lower_choice.h"
#include "rulec/lower_condition.h"
#include "rulec/lower_host.h"
#include "rulec/lower_regex.h"
#include "rulec/lower_source.h"
#include "rulec/lower_status.h"
#include "rulec/lower_target.h"

#include <strings.h>

static uint32_t make_action(struct lower *lower, const struct lower_scope *scope, uint32_t site,
                            const struct lower_status *status)
{
    struct plan_action action = { .site = site,
                                  .is_override = scope->is_override,
                                  .is_pass = status->is_pass,
                                  .status_get = status->get,
                                  .status_other = status->other,
                                  .conditions = scope->conditions,
                                  .condition_count = scope->condition_count,
                                  .vary = scope->vary,
                                  .vary_count = scope->vary_count };

    if (!status->is_pass) {
        action.redirects_preflight = scope->redirects_preflight;
        action.cache = scope->cache;
        action.cache_seconds = scope->cache_seconds;
        action.headers = scope->headers;
        action.header_count = scope->header_count;
    }
    if (lower_status_redirects(status))
        action.query = scope->query;
    return plan_intern_action(lower->plan, &action);
}

static uint32_t action_of(struct lower *lower, struct lower_scope *scope, uint32_t site,
                          const struct lower_status *status)
{
    for (unsigned i = 0; i < scope->made_count; i++) {
        const struct lower_made *made = &scope->made[i];

        if (made->site == site && made->status.get == status->get &&
            made->status.other == status->other && made->status.is_pass == status->is_pass) {
            return made->action;
        }
    }
    uint32_t action = make_action(lower, scope, site, status);
    /* A full row gives way from the front: a list goes from host to host. */
    unsigned at = scope->made_count < LOWER_ACTION_ROOM ? scope->made_count++
                                                        : action % LOWER_ACTION_ROOM;
    scope->made[at] = (struct lower_made){ .site = site, .status = *status, .action = action };
    return action;
}

enum twin { TWIN_NONE, TWIN_SLASH, TWIN_SAME };

/* Compares path and query of both as they are written. */
static enum twin compare_paths(struct slice source, struct slice target)
{
    struct slice shorter = source.size < target.size ? source : target;
    struct slice longer = source.size < target.size ? target : source;
    size_t same = 0;

    if (longer.size - shorter.size > 1)
        return TWIN_NONE;
    while (same < shorter.size && shorter.data[same] == longer.data[same])
        same++;
    if (same == longer.size)
        return TWIN_SAME;
    if (longer.size == shorter.size || longer.data[same] != '/')
        return TWIN_NONE;
    if (same < shorter.size && shorter.data[same] != '?')
        return TWIN_NONE;
    bool is_rest_equal =
        same == shorter.size ||
        memcmp(longer.data + same + 1, shorter.data + same, shorter.size - same) == 0;
    return is_rest_equal ? TWIN_SLASH : TWIN_NONE;
}

static bool needs_normal_form(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '%' || text.data[i] == '{' || (unsigned char)text.data[i] >= 0x80)
            return true;
    }
    return false;
}

/* The text as one can compare it: escapes in their normal form, placeholders by their names. */
static struct slice normal_form(const struct lower *lower, struct slice text)
{
    char *out = arena_alloc(lower->arena, 3 * text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size;) {
        bool is_escape = text.data[i] == '%' && text.size - i >= 3;
        size_t unit = is_escape ? 3 : 1;

        const char *end = text.data[i] == '{' ? lower_brace_end(text.data + i, text.data + text.size) : NULL;
        if (end) {
            size_t brace = (size_t)(end - text.data), name = i;

            while (name < brace - 1 && text.data[name] != ':')
                name++;
            memcpy(out + size, text.data + i, name - i);
            size += name - i;
            out[size++] = '}';
            i = brace;
            continue;
        }
        size_t written = SIZE_MAX;
        if (!strchr("/?&=#*}", text.data[i]))
            written = url_normalize_text(slice_of(text.data + i, unit), out + size);
        if (written == SIZE_MAX) {
            memcpy(out + size, text.data + i, unit);
            written = unit;
        }
        size += written;
        i += unit;
    }
    return slice_of(out, size);
}

static enum twin find_path_twin(const struct lower *lower, const struct lower_source *source, struct slice target)
{
    enum twin twin = compare_paths(source->rest, target);
    /* A path that was not changed has no escape and no placeholder. */
    bool is_normal = source->path.size && source->path.data == source->rest.data;

    if (twin == TWIN_NONE && !is_normal && needs_normal_form(source->rest))
        return compare_paths(normal_form(lower, source->rest), normal_form(lower, target));
    return twin;
}

static bool is_same_host(const struct lower *lower, const struct lower_source *source,
                         struct slice authority)
{
    if (source->authority.size == authority.size && authority.size &&
        strncasecmp(source->authority.data, authority.data, authority.size) == 0) {
        return true;
    }
    return lower_site_names(lower->plan, source->site, authority);
}

/* What source and target ask for by being nearly the same: flags of the rule, and the
 * scheme, if it is that alone. */
static uint32_t find_twin(const struct lower *lower, const struct lower_source *source,
                          struct slice target, bool *needs_scheme)
{
    struct slice scheme = { 0 }, authority = { 0 }, path = target;

    *needs_scheme = false;
    if (slice_equal(target, SLICE("https:"))) {
        *needs_scheme = slice_equal(source->scheme, SLICE("http"));
        return 0;
    }
    bool is_absolute = target.size && target.data[0] != '/' &&
                       lower_split_absolute(target, &scheme, &authority, &path);
    if (is_absolute && path.size == 0)
        path = SLICE("/");

    enum twin twin = find_path_twin(lower, source, path);
    if (twin == TWIN_NONE || (is_absolute && !is_same_host(lower, source, authority)))
        return 0;
    if (twin == TWIN_SLASH)
        return PLAN_SLASH_EXACT;
    *needs_scheme = is_absolute && source->scheme.size && !slice_equal(source->scheme, scheme);
    return 0;
}

/* What any line of a choice asks for holds for all of it. */
static uint32_t find_twins(const struct lower *lower, const struct lower_source *source,
                           const struct ast_by *by, bool *needs_scheme)
{
    uint32_t flags = 0;

    for (const struct ast_choice *line = by->choices; line; line = line->next) {
        bool line_needs_scheme = false;

        if (line->target)
            flags |= find_twin(lower, source, line->target->text, &line_needs_scheme);
        *needs_scheme |= line_needs_scheme;
    }
    return flags;
}

/* A rule of its own: "when scheme" is part of its action. */
static uint32_t action_with_scheme(struct lower *lower, const struct lower_scope *scope,
                                   const struct lower_source *source,
                                   const struct lower_status *status)
{
    struct lower_scope narrow = *scope;
    struct plan_condition condition = { .kind = PLAN_CONDITION_SCHEME, .value_count = 1 };

    condition.values = arena_alloc(lower->arena, sizeof(*condition.values));
    condition.values[0] = source->scheme;
    lower_add_condition(lower, &narrow, &condition);
    return make_action(lower, &narrow, source->site, status);
}

/* With --strict: what is called temporary should say until when, or when somebody looks. */
static void tell_open_end(struct lower *lower, const struct lower_scope *scope,
                          const struct lower_status *status, struct span span)
{
    bool is_temporary = status->get == 302 || status->get == 307;
    bool has_end = scope->has_window && scope->until_s != INT64_MAX;

    if (!lower->plan->is_strict || status->is_pass || !is_temporary || has_end || scope->has_review)
        return;
    diag_warning(lower->diag, DIAG_OPEN_END, span,
                 "this redirect is temporary, and nothing says until when");
    diag_help(lower->diag, "add \"until\" with its end or \"review\" with a day to look at it "
                           "again, or call it permanent");
}

void lower_rule(struct lower *lower, struct lower_scope *scope, const struct lower_rule *rule)
{
    struct lower_source source;
    struct lower_target target = { 0 };
    const struct lower_status *status = rule->has_status ? &rule->status : &scope->status;
    struct span status_span = rule->has_status   ? rule->status_span
                              : rule->has_target ? rule->target.span
                              : rule->by         ? rule->by->span
                                                 : rule->source.span;
    bool needs_scheme = false;

    bool is_good = rule->source_is_regex
                       ? lower_regex_source(lower, scope, rule->source, &source)
                       : lower_source(lower, scope, rule->source, rule->reading, &source);
    if (!lower_status_fits(lower, status, rule->has_target || rule->by, status_span))
        return;
    if (!is_good)
        return;

    struct plan_rule_parts made = { .path = source.path,
                              .pattern = source.pattern,
                              .flags = scope->flags,
                              .span = { rule->source.span.at, rule->span.end } };
    if (rule->has_target) {
        if (!lower_target(lower, scope, rule->target, rule->reading, &source, &target))
            return;
        made.target = target.text;
        made.template = target.template;
        made.target_at = rule->target.span.at;
        made.flags |= find_twin(lower, &source, rule->target.text, &needs_scheme);
    }
    if (rule->by) {
        made.choice = lower_choice(lower, scope, rule->by, &source);
        if (!made.choice)
            return;
        made.target_at = rule->by->span.at;
        made.flags |= find_twins(lower, &source, rule->by, &needs_scheme);
    }
    made.action = needs_scheme ? action_with_scheme(lower, scope, &source, status)
                               : action_of(lower, scope, source.site, status);
    if (lower->plan->rule_count == UINT32_MAX)
        return;
    plan_add_rule(lower->plan, &made);
    tell_open_end(lower, scope, status, made.span);

    struct slice note = rule->note.size ? rule->note : scope->note;
    struct slice owner = rule->owner.size ? rule->owner : scope->owner;
    if (note.size || owner.size)
        plan_add_note(lower->plan, lower->plan->rule_count - 1, note, owner);
}
