/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: `h`, `h:port`, `[v6]`, `*.d`, `**.d`, `*`, and closed sets inside, which are
 * expanded here so that nothing later knows of them. A site is the set of its hosts: sorted,
 * without doubles. */
#include "config.h"

#include "rulec/lower_host.h"

#include "rulec/lower_source.h"

#include "mod_redir307/url.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A site's hosts while they are gathered. */
struct host_list {
    struct plan_host *hosts;
    uint32_t count, room;
};

bool lower_port(struct slice digits, uint16_t *port)
{
    unsigned value = 0;

    if (digits.size == 0 || digits.size > 5)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(digits.data[i] - '0');
    }
    if (value == 0 || value > 65535)
        return false;
    *port = (uint16_t)value;
    return true;
}

bool lower_host_ipv6(struct lower *lower, struct slice text, struct slice *normal)
{
    char string[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (text.size == 0 || text.size >= sizeof(string))
        return false;
    memcpy(string, text.data, text.size);
    string[text.size] = 0;
    if (inet_pton(AF_INET6, string, &address) != 1)
        return false;
    if (!inet_ntop(AF_INET6, &address, string, sizeof(string)))
        return false;
    *normal = arena_copy(lower->arena, slice_from_string(string));
    return true;
}

struct slice lower_host_to_ascii(struct lower *lower, struct slice host, const char **reason)
{
    bool is_ascii = true;

    for (size_t i = 0; i < host.size; i++)
        is_ascii &= (unsigned char)host.data[i] < 0x80;
    if (is_ascii)
        return host;

    char *ascii = NULL;
    int status = idn2_to_ascii_8z(arena_string(lower->arena, host), &ascii,
                                  IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (status != IDN2_OK) {
        *reason = idn2_strerror(status);
        return slice_of(NULL, 0);
    }
    struct slice converted = arena_copy(lower->arena, slice_from_string(ascii));
    idn2_free(ascii);
    return converted;
}

static bool bad_host(struct lower *lower, struct lower_word word, struct slice host,
                     const char *reason)
{
    if (host.size == 0) {
        diag_error(lower->diag, DIAG_BAD_HOST, word.span, "\"%.*s\" names no host",
                   LOWER_SHOW(word.text));
        return false;
    }
    diag_error(lower->diag, DIAG_BAD_HOST, lower_span_of(word, host), "\"%.*s\" is no host: %s",
               LOWER_SHOW(host), reason);
    return false;
}

/* Proposes what stands between scheme and path. */
static bool bad_site_url(struct lower *lower, struct lower_word word, struct slice text)
{
    struct url_parts parts;

    bad_host(lower, word, text, "a site is named without scheme and path");
    if (url_split(text, &parts) && parts.host.size && !parts.userinfo.size && !lower_find(parts.host, ':'))
        diag_help(lower->diag, "write \"%.*s%s%.*s\"", LOWER_SHOW(parts.host), parts.port.size ? ":" : "",
                  LOWER_SHOW(parts.port));
    return false;
}

static bool add_host(struct lower *lower, struct host_list *list, struct lower_word word,
                     const struct plan_host *host)
{
    if (list->count == LOWER_HOST_LIMIT) {
        diag_error(lower->diag, DIAG_TOO_LARGE, word.span, "more than %d hosts in one site",
                   LOWER_HOST_LIMIT);
        return false;
    }
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 8;
        list->hosts = memory_resize(list->hosts, list->room, sizeof(*list->hosts));
    }
    list->hosts[list->count++] = *host;
    return true;
}

/* Labels as the DNS has them: 63 bytes at most, none empty. url_normalize_host lets bytes pass
 * that a URL may have and no server is ever called by. */
static const char *label_mistake(struct slice host)
{
    size_t start = 0;

    for (size_t i = 0; i <= host.size; i++) {
        if (i < host.size && strchr("!$&'()*+,;=~", host.data[i]))
            return "it has letters, digits, \"-\", \"_\" and \".\" only, and blanks stand between hosts";
        if (i < host.size && host.data[i] != '.')
            continue;
        if (i == start)
            return "two dots follow each other";
        if (i - start > 63)
            return "one of its parts is longer than 63 bytes";
        start = i + 1;
    }
    return NULL;
}

/* A host without sets or stars in its normal form. */
static bool plain_host(struct lower *lower, struct lower_word word, struct slice text,
                       struct slice *normal)
{
    char buffer[URL_HOST_LIMIT + 1];
    const char *reason = NULL;
    struct slice ascii = lower_host_to_ascii(lower, text, &reason);

    if (!ascii.data)
        return bad_host(lower, word, text, reason);
    if (ascii.size == 0)
        return bad_host(lower, word, text, "it is empty");
    if (lower_find(ascii, '*')) {
        bad_host(lower, word, text, "a \"*\" stands only in front, as in \"*.example.com\"");
        return false;
    }
    if (lower_find(ascii, '/')) {
        bad_host(lower, word, text, "a site is named without scheme and path");
        return false;
    }
    if (lower_find(ascii, ':') || !url_normalize_host(ascii, buffer, normal)) {
        return bad_host(lower, word, text, "it has a byte that no host has");
    }
    const char *mistake = label_mistake(*normal);
    if (mistake)
        return bad_host(lower, word, text, mistake);
    *normal = arena_copy(lower->arena, *normal);
    return true;
}

/* The first `{name:a|b}` of text; false where there is none. */
static bool find_set(struct slice text, struct slice *before, struct slice *inside,
                     struct slice *after)
{
    const char *open = lower_find(text, '{');
    if (!open)
        return false;
    const char *end = text.data + text.size;
    const char *close = memchr(open, '}', (size_t)(end - open));
    if (!close)
        return false;
    *before = slice_of(text.data, (size_t)(open - text.data));
    *inside = slice_of(open + 1, (size_t)(close - open - 1));
    *after = slice_of(close + 1, (size_t)(end - close - 1));
    return true;
}

/* Adds `text` with its sets replaced by each of their members. */
static bool expand_host(struct lower *lower, struct lower_word word, struct host_list *list,
                        struct plan_host host, struct slice text)
{
    struct slice before, inside, after;

    if (!find_set(text, &before, &inside, &after)) {
        if (!plain_host(lower, word, text, &host.name))
            return false;
        return add_host(lower, list, word, &host);
    }

    const char *colon = lower_find(inside, ':');
    struct slice name =
        slice_of(inside.data, colon ? (size_t)(colon - inside.data) : inside.size);
    if (!colon || !lower_is_name(name)) {
        bad_host(lower, word, text, "braces in a host hold a closed set");
        diag_help(lower->diag, "write it as \"{lang:en|de}.example.com\"");
        return false;
    }
    if (host.capture_count == LOWER_HOST_SET_LIMIT) {
        diag_error(lower->diag, DIAG_TOO_LARGE, word.span,
                   "more than %d closed sets in one host", LOWER_HOST_SET_LIMIT);
        return false;
    }
    for (uint32_t i = 0; i < host.capture_count; i++) {
        if (!slice_equal(host.captures[i].name, name))
            continue;
        diag_error(lower->diag, DIAG_DOUBLE_NAME, word.span,
                   "two placeholders of this host are named \"%.*s\"", LOWER_SHOW(name));
        return false;
    }

    const char *at = colon + 1, *end = inside.data + inside.size;
    while (at <= end) {
        const char *bar = at < end ? memchr(at, '|', (size_t)(end - at)) : NULL;
        struct slice member = slice_of(at, (size_t)((bar ? bar : end) - at));

        if (member.size == 0)
            return bad_host(lower, word, text, "a member of its closed set is empty");
        char buffer[URL_HOST_LIMIT + 1];
        struct slice value;
        if (!url_normalize_host(member, buffer, &value) || lower_find(member, ':') ||
            lower_find(member, '*')) {
            return bad_host(lower, word, member,
                            "a member of a closed set here is a part of a host in ASCII");
        }

        struct plan_host one = host;
        char *joined = arena_alloc(lower->arena, before.size + value.size + after.size + 1);
        one.captures = arena_array(lower->arena, host.capture_count + 1, sizeof(*one.captures));
        if (host.capture_count)
            memcpy(one.captures, host.captures, host.capture_count * sizeof(*one.captures));
        one.captures[one.capture_count++] =
            (struct plan_host_capture){ .name = name,
                                        .value = arena_copy(lower->arena, value) };
        memcpy(joined, before.data, before.size);
        memcpy(joined + before.size, value.data, value.size);
        if (after.size)
            memcpy(joined + before.size + value.size, after.data, after.size);
        if (!expand_host(lower, word, list, one,
                         slice_of(joined, before.size + value.size + after.size)))
            return false;
        at = (bar ? bar : end) + 1;
    }
    return true;
}

/* Cuts `:port` off. The colon of a set stands inside braces, those of an IPv6 address inside
 * brackets. */
static bool split_port(struct lower *lower, struct lower_word word, struct slice *text,
                       uint16_t *port)
{
    if (text->size && text->data[0] == '[' && !lower_find(*text, ']')) {
        return bad_host(lower, word, *text, "its bracket is not closed");
    }
    for (size_t i = text->size; i > 0; i--) {
        char byte = text->data[i - 1];

        if (byte == ']' || byte == '}')
            return true;
        if (byte != ':')
            continue;
        struct slice digits = slice_of(text->data + i, text->size - i);
        if (memchr(text->data, ':', i - 1) && text->data[0] != '[' &&
            !memchr(text->data, '{', i - 1)) {
            bad_host(lower, word, *text, "an IPv6 address stands in brackets");
            diag_help(lower->diag, "write it as \"[%.*s]\"", LOWER_SHOW(*text));
            return false;
        }
        if (!lower_port(digits, port)) {
            return bad_host(lower, word, *text, "the port is a number from 1 to 65535");
        }
        text->size = i - 1;
        return true;
    }
    return true;
}

static bool add_host_word(struct lower *lower, struct lower_word word, struct slice text,
                          bool is_pattern, struct host_list *list)
{
    struct plan_host host = { .kind = PLAN_HOST_EXACT };

    if (slice_starts_with(text, SLICE("http://")) ||
        slice_starts_with(text, SLICE("https://"))) {
        return bad_site_url(lower, word, text);
    }
    if (!split_port(lower, word, &text, &host.port))
        return false;
    if (text.size && text.data[0] == '[') {
        if (text.data[text.size - 1] != ']' ||
            !lower_host_ipv6(lower, slice_of(text.data + 1, text.size - 2), &host.name)) {
            return bad_host(lower, word, text, "what stands in brackets is no IPv6 address");
        }
        return add_host(lower, list, word, &host);
    }
    if (!is_pattern) {
        if (!plain_host(lower, word, text, &host.name))
            return false;
        return add_host(lower, list, word, &host);
    }
    if (slice_equal(text, SLICE("*"))) {
        host.kind = PLAN_HOST_ANY;
        return add_host(lower, list, word, &host);
    }
    if (slice_starts_with(text, SLICE("**."))) {
        host.kind = PLAN_HOST_APEX;
        text = slice_of(text.data + 3, text.size - 3);
        if (!expand_host(lower, word, list, host, text))
            return false;
        host.kind = PLAN_HOST_BELOW;
    } else if (slice_starts_with(text, SLICE("*."))) {
        host.kind = PLAN_HOST_BELOW;
        text = slice_of(text.data + 2, text.size - 2);
    }
    return expand_host(lower, word, list, host, text);
}

static int compare_hosts(const void *left, const void *right)
{
    const struct plan_host *a = left, *b = right;
    int order;

    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if ((order = slice_compare(a->name, b->name)) != 0)
        return order;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return 0;
}

/* Frees the list. Equal hosts that carry different captures cannot be told apart: an error. */
static bool intern_hosts(struct lower *lower, struct host_list *list, struct span span,
                         uint32_t *site)
{
    uint32_t kept = 0;
    bool is_good = true;

    qsort(list->hosts, list->count, sizeof(*list->hosts), compare_hosts);
    for (uint32_t i = 0; i < list->count; i++) {
        struct plan_host *host = &list->hosts[i];

        if (kept && compare_hosts(&list->hosts[kept - 1], host) == 0) {
            if (host->capture_count || list->hosts[kept - 1].capture_count) {
                diag_error(lower->diag, DIAG_BAD_HOST, span,
                           "\"%.*s\" comes out of two hosts of this site, and what its "
                           "placeholders hold is unclear",
                           LOWER_SHOW(host->name));
                is_good = false;
                break;
            }
            continue;
        }
        list->hosts[kept++] = *host;
    }
    if (is_good) {
        struct plan_site made = { .host_count = kept, .span = span };

        made.hosts = arena_array(lower->arena, kept, sizeof(*made.hosts));
        memcpy(made.hosts, list->hosts, kept * sizeof(*made.hosts));
        *site = plan_intern_site(lower->plan, &made);
    }
    free(list->hosts);
    return is_good;
}

bool lower_site(struct lower *lower, const struct ast_word *words, struct span span,
                uint32_t *site)
{
    struct host_list list = { 0 };
    bool is_good = words != NULL;

    for (const struct ast_word *word = words; word; word = word->next) {
        is_good &= add_host_word(lower, lower_word_of(word), word->text, true, &list);
    }
    if (!is_good) {
        free(list.hosts);
        return false;
    }
    return intern_hosts(lower, &list, span, site);
}

enum containment { OUTSIDE, WITHIN, NAMED };

/* How `host` of an absolute source lies to one host of the site around it. */
static enum containment contains(const struct plan_host *around, const struct plan_host *host)
{
    if (around->port && host->port && around->port != host->port)
        return OUTSIDE;
    if (around->kind == host->kind && slice_equal(around->name, host->name)) {
        return around->port == 0 && host->port ? WITHIN : NAMED;
    }
    if (around->kind == PLAN_HOST_ANY)
        return WITHIN;
    if (around->kind != PLAN_HOST_BELOW || host->kind == PLAN_HOST_ANY)
        return OUTSIDE;
    if (host->name.size <= around->name.size + (host->kind == PLAN_HOST_BELOW ? 0U : 1U))
        return OUTSIDE;
    size_t from = host->name.size - around->name.size;
    bool is_below = host->name.data[from - 1] == '.' &&
                    memcmp(host->name.data + from, around->name.data, around->name.size) == 0;
    return is_below ? WITHIN : OUTSIDE;
}

/* Where all hosts of the source are named by the site around it, the rule holds for all of
 * that site: its other hosts are aliases. Where they only lie within it, the rule is theirs
 * alone. */
static bool resolve_site(struct lower *lower, const struct lower_scope *scope,
                         struct lower_word word, struct slice authority, struct host_list *list,
                         uint32_t *site)
{
    enum containment worst = NAMED;

    if (!scope->is_in_site)
        return intern_hosts(lower, list, word.span, site);
    const struct plan_site *around = &lower->plan->sites[scope->site];
    for (uint32_t i = 0; i < list->count; i++) {
        enum containment best = OUTSIDE;

        for (uint32_t k = 0; k < around->host_count && best != NAMED; k++) {
            enum containment found = contains(&around->hosts[k], &list->hosts[i]);
            if (found > best)
                best = found;
        }
        if (best < worst)
            worst = best;
    }
    if (worst == WITHIN)
        return intern_hosts(lower, list, word.span, site);
    free(list->hosts);
    if (worst == OUTSIDE) {
        diag_error(lower->diag, DIAG_FOREIGN_HOST, lower_span_of(word, authority),
                   "\"%.*s\" is not a host of the site that this rule stands in",
                   LOWER_SHOW(authority));
        diag_note(lower->diag, scope->site_span, "this site");
        diag_help(lower->diag, "put the rule outside of the site, or name the host there");
        return false;
    }
    *site = scope->site;
    return true;
}

bool lower_site_of_source(struct lower *lower, const struct lower_scope *scope,
                          struct lower_word word, struct slice authority, uint16_t default_port,
                          bool is_pattern, uint32_t *site)
{
    struct host_list list = { 0 };

    if (lower->source_authority.data && slice_equal(lower->source_authority, authority) &&
        lower->source_authority_in_site == scope->is_in_site &&
        lower->source_authority_scope_site == scope->site) {
        *site = lower->source_authority_site;
        return true;
    }
    if (lower_find(authority, '@')) {
        return bad_host(lower, word, authority, "a source has no user name");
    }
    if (!add_host_word(lower, word, authority, is_pattern, &list)) {
        free(list.hosts);
        return false;
    }
    for (uint32_t i = 0; i < list.count; i++) {
        if (default_port && list.hosts[i].port == default_port)
            list.hosts[i].port = 0;
    }
    if (!resolve_site(lower, scope, word, authority, &list, site))
        return false;
    if (!lower_find(authority, ':')) { /* a port's meaning depends on the scheme */
        lower->source_authority = authority;
        lower->source_authority_in_site = scope->is_in_site;
        lower->source_authority_scope_site = scope->site;
        lower->source_authority_site = *site;
    }
    return true;
}

bool lower_site_names(const struct plan *plan, uint32_t site, struct slice host)
{
    char buffer[URL_HOST_LIMIT + 1];
    struct slice normal;

    if (!url_normalize_host(host, buffer, &normal))
        return false;
    for (uint32_t i = 0; i < plan->sites[site].host_count; i++) {
        const struct plan_host *named = &plan->sites[site].hosts[i];
        if (named->kind == PLAN_HOST_EXACT && slice_equal(named->name, normal))
            return true;
    }
    return false;
}
