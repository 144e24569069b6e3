/* SPDX-License-Identifier: Apache-2.0 */
/* An expectation is judged as strictly as a rule: one that cannot be asked proves nothing. */
#include "config.h"

#include "rulec/lower_expect.h"

#include "rulec/lower_header.h"
#include "rulec/lower_host.h"
#include "rulec/lower_status.h"
#include "rulec/lower_target.h"

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
    if (expect->with) {
        lower_refuse(lower, expect->span, "with");
        is_good = false;
    }
    if (expect->at) {
        lower_refuse(lower, expect->at->span, "at");
        is_good = false;
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
