/* SPDX-License-Identifier: Apache-2.0 */
/* An expectation is judged as strictly as a rule: one that cannot be asked proves nothing. */
#include "config.h"

#include "rulec/lower_expect.h"

#include "rulec/lower_header.h"
#include "rulec/lower_host.h"
#include "rulec/lower_operand.h"
#include "rulec/lower_status.h"
#include "rulec/lower_target.h"
#include "rulec/lower_time.h"
#include "rulec/lower_value.h"

#include "mod_redir307/url.h"

static bool bad_expect(struct lower *lower, struct span span, const char *message)
{
    diag_error(lower->diag, DIAG_BAD_EXPECT, span, "%s", message);
    return false;
}

static bool judge_method(struct lower *lower, const struct ast_word *method)
{
    bool has_lower = false;

    for (size_t i = 0; i < method->text.size; i++) {
        has_lower |= method->text.data[i] >= 'a' && method->text.data[i] <= 'z';
    }
    if (!has_lower)
        return true;
    diag_error(lower->diag, DIAG_BAD_EXPECT, method->span,
               "\"%.*s\" is no method: case counts there", LOWER_SHOW(method->text));
    lower_help_capitals(lower, method->text);
    return false;
}

static bool judge_url(struct lower *lower, const struct ast_word *url)
{
    struct url_parts parts;
    char host[URL_HOST_LIMIT + 1];
    struct slice normal;
    uint16_t port;

    if (!url_split(url->text, &parts))
        return bad_expect(lower, url->span, "this is no valid URL");
    bool is_absolute =
        slice_equal(parts.scheme, SLICE("http")) || slice_equal(parts.scheme, SLICE("https"));
    if (!is_absolute &&
        (parts.has_authority || parts.path.size == 0 || parts.path.data[0] != '/')) {
        bad_expect(lower, url->span,
                   "what is asked is a URL with http:// or https://, or a path");
        return false;
    }
    if (parts.has_fragment) {
        bad_expect(lower, url->span, "what is asked has no fragment: no client ever sends it");
        return false;
    }
    if (!is_absolute)
        return true;
    if (parts.userinfo.size || !parts.has_authority)
        return bad_expect(lower, url->span, "this is no URL that is asked for");
    if (parts.port.size && !lower_port(parts.port, &port)) {
        return bad_expect(lower, url->span, "its port is no number from 1 to 65535");
    }
    if (!url_normalize_host(parts.host, host, &normal)) {
        bad_expect(lower, url->span, "its host is not valid");
        diag_help(lower->diag, "a client asks for a host in ASCII: \"xn--...\"");
        return false;
    }
    return true;
}

static bool read_status(struct lower *lower, const struct ast_expect *expect,
                        struct plan_expect *made)
{
    struct lower_status status;
    struct slice method = expect->method->text;

    if (!expect->status)
        return true;
    if (!lower_status_of(lower, expect->status, &status))
        return false;
    bool is_get = slice_equal(method, SLICE("GET")) || slice_equal(method, SLICE("HEAD"));
    made->status = is_get ? status.get : status.other;
    made->expects_pass = status.is_pass;
    if (!expect->target || lower_status_redirects(&status))
        return true;
    return bad_expect(lower, expect->target->span, "an answer of this status has no target");
}

/* ---- with {...}: what the request has beside its method and URL ---- */

/* Several cookies are one field, as clients send them. */
static bool add_cookie(struct lower *lower, const struct ast_with *fact,
                       struct plan_expect *made, struct plan_header **cookies)
{
    const struct ast_word *name = fact->words;
    struct slice value;

    if (!lower_token(lower, name, "cookie") || !lower_cookie_value(lower, name->next, &value))
        return false;
    if (!*cookies) {
        *cookies = &made->fields[made->field_count++];
        **cookies = (struct plan_header){ .name = SLICE("Cookie") };
    }
    (*cookies)->value = slice_from_string(
        arena_printf(lower->arena, "%.*s%s%.*s=%.*s", (int)(*cookies)->value.size,
                     (*cookies)->value.size ? (*cookies)->value.data : "",
                     (*cookies)->value.size ? "; " : "", (int)name->text.size, name->text.data,
                     (int)value.size, value.size ? value.data : ""));
    return true;
}

static bool said_twice(struct lower *lower, const struct ast_with *fact)
{
    diag_error(lower->diag, DIAG_BAD_EXPECT, fact->name->span, "\"%.*s\" is said twice",
               LOWER_SHOW(fact->name->text));
    return false;
}

static bool read_client(struct lower *lower, const struct ast_with *fact,
                        struct plan_expect *made)
{
    if (made->client.family)
        return said_twice(lower, fact);
    if (!lower_network(lower, fact->words, &made->client))
        return false;
    if (made->client.prefix == (made->client.family == 4 ? 32 : 128))
        return true;
    return bad_expect(lower, fact->words->span, "a client has one address");
}

static bool read_chance(struct lower *lower, const struct ast_with *fact,
                        struct plan_expect *made)
{
    if (made->has_chance)
        return said_twice(lower, fact);
    made->has_chance = true;
    if (!lower_share(lower, fact->words, &made->chance))
        return false;
    if (made->chance < 1000000)
        return true;
    return bad_expect(lower, fact->words->span,
                      "a draw is less than 100%: \"chance 10%\" holds for all below 10%");
}

static bool read_busy(struct lower *lower, const struct ast_with *fact,
                      struct plan_expect *made)
{
    if (made->has_busy)
        return said_twice(lower, fact);
    made->has_busy = true;
    return lower_percent(lower, fact->words, 0, &made->busy);
}

static bool read_flags(struct lower *lower, const struct ast_with *fact,
                       struct plan_expect *made)
{
    for (const struct ast_word *word = fact->words; word; word = word->next) {
        if (!lower_flag(lower, word, &made->flags[made->flag_count++]))
            return false;
    }
    return true;
}

static bool read_fact(struct lower *lower, const struct ast_with *fact,
                      struct plan_expect *made, struct plan_header **cookies)
{
    struct slice kind = fact->name->text;
    const struct ast_word *word = fact->words;

    if (slice_equal(kind, SLICE("client")))
        return read_client(lower, fact, made);
    if (slice_equal(kind, SLICE("chance")))
        return read_chance(lower, fact, made);
    if (slice_equal(kind, SLICE("busy")))
        return read_busy(lower, fact, made);
    if (slice_equal(kind, SLICE("flag")))
        return read_flags(lower, fact, made);
    if (slice_equal(kind, SLICE("cookie")))
        return add_cookie(lower, fact, made, cookies);

    struct plan_header pair = { .name = word->text, .value = word->next->text };
    if (slice_equal(kind, SLICE("env"))) {
        made->env[made->env_count++] = pair;
        return lower_env_name(lower, word, &pair.name);
    }
    made->fields[made->field_count++] = pair;
    return lower_judge_field(lower, word, word->next);
}

static bool read_facts(struct lower *lower, const struct ast_expect *expect,
                       struct plan_expect *made)
{
    struct plan_header *cookies = NULL;
    uint32_t count = 0, word_count = 0;
    bool is_good = true;

    for (const struct ast_with *fact = expect->with; fact; fact = fact->next) {
        count++;
        word_count += lower_word_count(fact->words);
    }
    made->fields = arena_array(lower->arena, count, sizeof(*made->fields));
    made->env = arena_array(lower->arena, count, sizeof(*made->env));
    made->flags = arena_array(lower->arena, word_count, sizeof(*made->flags));
    for (const struct ast_with *fact = expect->with; fact; fact = fact->next)
        is_good &= read_fact(lower, fact, made, &cookies);
    return is_good;
}

static bool read_headers(struct lower *lower, const struct ast_expect *expect,
                         struct plan_expect *made)
{
    uint32_t count = 0;

    for (const struct ast_with *field = expect->headers; field; field = field->next)
        count++;
    made->headers = arena_array(lower->arena, count, sizeof(*made->headers));
    for (const struct ast_with *field = expect->headers; field; field = field->next) {
        const struct ast_word *name = field->words, *value = name ? name->next : NULL;

        if (!value)
            return bad_expect(lower, expect->span,
                              "an expected field is written: header NAME VALUE");
        if (!lower_judge_field(lower, name, value))
            return false;
        made->headers[made->header_count++] =
            (struct plan_header){ .name = name->text, .value = value->text };
    }
    return true;
}

void lower_expect(struct lower *lower, const struct lower_scope *scope,
                  const struct ast_expect *expect)
{
    struct plan_expect made = { .span = expect->span,
                                .method = expect->method->text,
                                .url = expect->url->text,
                                .expects_pass = expect->expects_pass };
    struct lower_target target;
    bool is_good = judge_method(lower, expect->method);

    is_good &= judge_url(lower, expect->url);
    is_good &= read_facts(lower, expect, &made);
    if (expect->at) {
        made.has_time =
            lower_time(lower, scope, lower_word_of(expect->at), LOWER_DAY_START, &made.time_s);
        is_good &= made.has_time;
    }
    is_good &= read_status(lower, expect, &made);
    is_good &= read_headers(lower, expect, &made);
    if (expect->target) {
        made.has_target = lower_target(lower, scope, lower_word_of(expect->target),
                                       LOWER_LITERAL, NULL, &target);
        is_good &= made.has_target;
        if (made.has_target)
            made.target = target.text;
        if (made.has_target && target.template) {
            is_good =
                bad_expect(lower, expect->target->span, "what is expected is the whole target");
        }
    }
    if (is_good)
        plan_add_expect(lower->plan, &made);
}
