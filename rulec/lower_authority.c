/* SPDX-License-Identifier: Apache-2.0 */
/* A request can never choose the host of a target: that is held here and nowhere else. */
#include "config.h"

#include "rulec/lower_authority.h"

#include "rulec/lower_host.h"

#include "mod_redir307/url.h"

bool lower_site_is_open(const struct plan *plan, uint32_t site)
{
    for (uint32_t i = 0; i < plan->sites[site].host_count; i++) {
        if (plan->sites[site].hosts[i].kind == PLAN_HOST_ANY)
            return true;
    }
    return false;
}

static bool is_host_text(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool is_good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                       byte == '_';

        if (!is_good)
            return false;
    }
    return text.size > 0;
}

static bool open_redirect(struct lower *lower, struct lower_word word,
                          const struct lower_hole *hole, const char *reason)
{
    diag_error(lower->diag, DIAG_OPEN_REDIRECT, lower_span_of(word, hole->whole),
               "\"%.*s\" would let the request choose the host: %s", LOWER_SHOW(hole->whole),
               reason);
    return false;
}

static bool may_be_in_authority(struct lower *lower, struct lower_word word,
                                const struct lower_hole *hole, uint32_t site)
{
    if (hole->kind == PLAN_PIECE_HOST_CAPTURE)
        return true; /* closed by its nature */
    if (hole->kind == PLAN_PIECE_HOST) {
        if (!lower_site_is_open(lower->plan, site))
            return true;
        open_redirect(lower, word, hole, "here every host may be asked for");
        diag_help(lower->diag, "put the rule into a \"site\" that names hosts or a domain");
        return false;
    }
    if (!hole->part || hole->part->kind != PLAN_PART_SET) {
        open_redirect(lower, word, hole, "only a closed set may stand there");
        if (hole->part) {
            diag_help(lower->diag, "write in the source what it may be, as in \"{x:en|de}\"");
        } else {
            diag_help(lower->diag, "it may stand behind the first \"/\" that follows the host");
        }
        return false;
    }
    for (uint32_t i = 0; i < hole->part->set_count; i++) {
        struct slice member = hole->part->set[i];

        if (is_host_text(member))
            continue;
        diag_error(lower->diag, DIAG_BAD_TARGET, lower_span_of(word, hole->whole),
                   "\"%.*s\", one of the values of \"%.*s\", cannot be a part of a host",
                   LOWER_SHOW(member), LOWER_SHOW(hole->whole));
        return false;
    }
    return true;
}

/* A place in the skeleton is a place in the word only where no constant was put in before:
 * the whole word points. */
static bool bad_authority(struct lower *lower, struct lower_word word, const char *reason,
                          const char *help)
{
    diag_error(lower->diag, DIAG_BAD_TARGET, word.span, "the target \"%.*s\" %s",
               LOWER_SHOW(word.text), reason);
    if (help)
        diag_help(lower->diag, "%s", help);
    return false;
}

/* The host with marks replaced is judged as a host. */
static bool judge_host(struct lower *lower, struct lower_word word, struct slice host)
{
    char buffer[URL_HOST_LIMIT + 1], filled[URL_HOST_LIMIT + 1];
    struct slice normal;
    size_t label = 0;

    if (host.size > URL_HOST_LIMIT)
        return bad_authority(lower, word, "has a host of more than 255 bytes", NULL);
    if (host.size)
        memcpy(filled, host.data, host.size);
    for (size_t i = 0; i < host.size; i++) {
        if (filled[i] == LOWER_MARK)
            filled[i] = 'a';
        if ((unsigned char)filled[i] >= 0x80) {
            return bad_authority(
                lower, word, "mixes a placeholder and letters that are not ASCII in its host",
                "write the host in punycode, as \"xn--...\"");
        }
    }
    if (!url_normalize_host(slice_of(filled, host.size), buffer, &normal) ||
        lower_find(normal, ':')) {
        return bad_authority(lower, word, "has no valid host", NULL);
    }
    for (size_t i = 0; i <= normal.size; i++) {
        if (i < normal.size && buffer[i] != '.')
            continue;
        if (i == label || i - label > 63)
            return bad_authority(lower, word, "has no valid host", NULL);
        label = i + 1;
    }
    return true;
}

bool lower_authority(struct lower *lower, struct lower_word word,
                     const struct lower_skeleton *skeleton, struct slice authority,
                     uint32_t first_hole, uint32_t site, struct slice *sent)
{
    uint32_t hole = first_hole;
    uint16_t port;
    struct slice host = authority, ascii;
    const char *reason = NULL;

    for (size_t i = 0; i < authority.size; i++) {
        if (authority.data[i] == LOWER_MARK &&
            !may_be_in_authority(lower, word, &skeleton->holes[hole++], site)) {
            return false;
        }
    }
    if (lower_find(authority, '@')) {
        return bad_authority(
            lower, word,
            "has a user name before its host: it looks like one site and is another",
            "write an \"@\" in a path as it is, behind the first \"/\"");
    }
    if (lower_find(authority, '\\')) {
        return bad_authority(lower, word,
                             "has a \"\\\" in its host, which browsers read as \"/\"", NULL);
    }
    if (lower_find(authority, '%'))
        return bad_authority(lower, word, "has a \"%\" in its host", NULL);

    const char *colon = NULL;
    for (size_t i = authority.size; i > 0 && authority.data[i - 1] != ']' && !colon; i--) {
        if (authority.data[i - 1] == ':')
            colon = authority.data + i - 1;
    }
    if (colon) {
        host.size = (size_t)(colon - authority.data);
        if (!lower_port(slice_of(colon + 1, authority.size - host.size - 1), &port)) {
            return bad_authority(lower, word,
                                 "has no valid port: that is a number from 1 to 65535", NULL);
        }
    }
    if (host.size == 0)
        return bad_authority(lower, word, "has no host", NULL);
    *sent = authority;
    if (host.data[0] == '[') {
        if (host.data[host.size - 1] == ']' &&
            lower_host_ipv6(lower, slice_of(host.data + 1, host.size - 2), &ascii)) {
            return true;
        }
        return bad_authority(lower, word, "has no valid IPv6 address in its brackets", NULL);
    }
    if (lower_find(host, LOWER_MARK))
        return judge_host(lower, word, host);
    ascii = lower_host_to_ascii(lower, host, &reason);
    if (!ascii.data) {
        diag_error(lower->diag, DIAG_BAD_TARGET, word.span,
                   "the host of \"%.*s\" cannot be written in ASCII: %s", LOWER_SHOW(word.text),
                   reason);
        return false;
    }
    if (!judge_host(lower, word, ascii))
        return false;
    if (ascii.data != host.data) {
        *sent = slice_from_string(arena_printf(lower->arena, "%.*s%.*s", (int)ascii.size,
                                               ascii.data, (int)(authority.size - host.size),
                                               host.data + host.size));
    }
    return true;
}
