/* SPDX-License-Identifier: Apache-2.0 */
/* One function a sort of value. A value that no request can have would make a rule that never holds without a word, so
 * it is a mistake here. */
#include "config.h"

#include "rulec/lower_operand.h"

#include "mod_redir307/url.h"

#include <arpa/inet.h>

enum { FLAG_LIMIT = 64, VALUE_LIMIT = 8192 };

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* RFC 9110, 5.6.2 */
static bool is_token_byte(char byte)
{
    return is_digit(byte) || is_letter(byte) || (byte && strchr("!#$%&'*+-.^_`|~", byte));
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_byte(text.data[i]))
            return false;
    }
    return text.size > 0;
}

static struct slice in_lower_case(struct lower *lower, struct slice text)
{
    char *copy = arena_string(lower->arena, text);

    for (size_t i = 0; i < text.size; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + 32);
    }
    return slice_of(copy, text.size);
}

static bool bad_value(struct lower *lower, const struct ast_word *word, const char *reason)
{
    diag_error(lower->diag, DIAG_BAD_VALUE, word->span, "\"%.*s\" %s", LOWER_SHOW(word->text),
               reason);
    return false;
}

void lower_help_capitals(struct lower *lower, struct slice text)
{
    char *capitals = arena_string(lower->arena, text);

    for (char *at = capitals; *at; at++) {
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 32);
    }
    diag_help(lower->diag, "write \"%s\"", capitals);
}

bool lower_method(struct lower *lower, const struct ast_word *word, struct slice *method)
{
    struct slice text = word->text;
    bool has_small = false;

    if (!is_token(text))
        return bad_value(lower, word, "is no method");
    for (size_t i = 0; i < text.size; i++)
        has_small |= text.data[i] >= 'a' && text.data[i] <= 'z';
    if (has_small) {
        diag_warning(lower->diag, DIAG_METHOD_CASE, word->span,
                     "\"%.*s\" has small letters: case counts in a method, and no client is "
                     "known to send this one",
                     LOWER_SHOW(text));
        lower_help_capitals(lower, text);
    }
    *method = slice_equal(text, SLICE("HEAD")) ? SLICE("GET") : text;
    return true;
}

bool lower_media_type(struct lower *lower, const struct ast_word *word, struct slice *type)
{
    struct slice text = word->text;
    const char *slash = lower_find(text, '/');

    if (lower_find(text, '*')) {
        bad_value(lower, word, "has a wildcard: a rule names what it has to offer");
        diag_help(lower->diag, "what a client takes by \"*/*\" alone goes without the "
                               "condition, or to \"otherwise\"");
        return false;
    }
    if (lower_find(text, ';')) {
        bad_value(lower, word, "has parameters: types are compared without them");
        return false;
    }
    if (!slash || !is_token(slice_of(text.data, (size_t)(slash - text.data))) ||
        !is_token(slice_of(slash + 1, (size_t)(text.data + text.size - slash) - 1))) {
        bad_value(lower, word, "is no media type");
        diag_help(lower->diag, "it is written as in \"text/turtle\"");
        return false;
    }
    *type = in_lower_case(lower, text);
    return true;
}

bool lower_language(struct lower *lower, const struct ast_word *word, struct slice *language)
{
    struct slice text = word->text;
    size_t start = 0;

    for (size_t i = 0; i <= text.size; i++) {
        bool is_end = i == text.size || text.data[i] == '-';

        if (is_end && i > start && i - start <= 8) {
            start = i + 1;
            continue;
        }
        if (!is_end && (is_letter(text.data[i]) || (start > 0 && is_digit(text.data[i]))))
            continue;
        bad_value(lower, word, "is no language");
        diag_help(lower->diag, "it is written as in \"de\" or \"de-CH\"");
        return false;
    }
    *language = in_lower_case(lower, text);
    return true;
}

bool lower_token(struct lower *lower, const struct ast_word *word, const char *what)
{
    if (is_token(word->text))
        return true;
    diag_error(lower->diag, DIAG_BAD_VALUE, word->span, "\"%.*s\" is no name of a %s",
               LOWER_SHOW(word->text), what);
    return false;
}

bool lower_field_value(struct lower *lower, const struct ast_word *word, struct slice *value)
{
    struct slice text = word->text;

    if (text.size > VALUE_LIMIT)
        return bad_value(lower, word, "is longer than any that a server takes");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte < 0x20 && byte != '\t')
            return bad_value(lower, word,
                             "has a control byte, which no request can have there");
    }
    if (text.size && (strchr(" \t", text.data[0]) || strchr(" \t", text.data[text.size - 1])))
        return bad_value(
            lower, word,
            "has a blank at an end: blanks around a value are dropped before it is compared");
    *value = text;
    return true;
}

bool lower_cookie_value(struct lower *lower, const struct ast_word *word, struct slice *value)
{
    struct slice text = word->text;

    if (!lower_field_value(lower, word, value))
        return false;
    if (lower_find(text, ';') || lower_find(text, ','))
        return bad_value(lower, word, "has a \";\" or \",\", which ends a cookie");
    if (text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"')
        return bad_value(lower, word,
                         "has quotes around it, and those of a cookie are taken off");
    return true;
}

bool lower_query_word(struct lower *lower, const struct ast_word *word, struct slice *decoded)
{
    char *bytes = arena_alloc(lower->arena, word->text.size + 1);

    *decoded = slice_of(bytes, url_decode_query(word->text, bytes));
    return true;
}

bool lower_env_name(struct lower *lower, const struct ast_word *word, struct slice *name)
{
    for (size_t i = 0; i < word->text.size; i++) {
        unsigned char byte = (unsigned char)word->text.data[i];

        if (byte <= 0x20 || byte == '=' || byte == 0x7f)
            return bad_value(lower, word, "is no name of an environment variable");
    }
    if (word->text.size == 0)
        return bad_value(lower, word, "is no name of an environment variable");
    *name = word->text;
    return true;
}

bool lower_env_value(struct lower *lower, const struct ast_word *word, struct slice *value)
{
    (void)lower;
    *value = word->text;
    return true;
}

bool lower_flag(struct lower *lower, const struct ast_word *word, struct slice *flag)
{
    struct slice text = word->text;
    bool is_good = text.size > 0 && text.size <= FLAG_LIMIT && text.data[0] != '.';

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        is_good &= is_letter(byte) || is_digit(byte) || (byte && strchr("._-", byte));
    }
    if (!is_good) {
        diag_error(
            lower->diag, DIAG_BAD_VALUE, word->span,
            "\"%.*s\" is no name of a flag: at most %d letters, digits, \".\", \"_\" and \"-\"",
            LOWER_SHOW(text), FLAG_LIMIT);
        diag_help(lower->diag,
                  "a flag is a file of that name in the folder that Redir307Flags names");
        return false;
    }
    *flag = text;
    return true;
}

/* ---- addresses ---- */

static bool bad_network(struct lower *lower, const struct ast_word *word, const char *reason)
{
    bad_value(lower, word, reason);
    diag_help(lower->diag,
              "write an address or a network as in \"10.0.0.0/8\" or \"2001:db8::/32\"");
    return false;
}

/* The bits behind the prefix; what was written with some of them set was meant for something else. */
static bool clear_host_bits(struct plan_network *network)
{
    unsigned size = network->family == 4 ? 4 : 16;
    bool had_some = false;

    for (unsigned i = 0; i < size; i++) {
        unsigned kept = network->prefix > i * 8 ? network->prefix - i * 8 : 0;
        uint8_t mask = (uint8_t)(kept >= 8 ? 0xff : 0xff00 >> kept);

        had_some |= (network->address[i] & ~mask) != 0;
        network->address[i] &= mask;
    }
    return had_some;
}

/* ::ffff:a.b.c.d: a request's address never has that form (mod_redir307/request_key.h). */
static void unmap(struct plan_network *network)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (network->family != 6 || network->prefix < 96 ||
        memcmp(network->address, mapped, 12) != 0)
        return;
    memmove(network->address, network->address + 12, 4);
    memset(network->address + 4, 0, 12);
    network->family = 4;
    network->prefix = (uint8_t)(network->prefix - 96);
}

bool lower_network(struct lower *lower, const struct ast_word *word,
                   struct plan_network *network)
{
    struct slice text = word->text;
    const char *slash = lower_find(text, '/');
    size_t size = slash ? (size_t)(slash - text.data) : text.size;
    struct plan_network made = { 0 };
    char address[INET6_ADDRSTRLEN + 1];
    uint32_t prefix, most;

    if (size == 0 || size >= sizeof(address))
        return bad_network(lower, word, "is no address");
    memcpy(address, text.data, size);
    address[size] = 0;
    if (strlen(address) == size && inet_pton(AF_INET, address, made.address) == 1)
        made.family = 4;
    else if (strlen(address) == size && inet_pton(AF_INET6, address, made.address) == 1)
        made.family = 6;
    else
        return bad_network(lower, word, "is no address");
    prefix = most = made.family == 4 ? 32 : 128;
    if (slash) {
        struct slice digits = slice_of(slash + 1, text.size - size - 1);

        if (!lower_count(digits, most, &prefix)) {
            if (!slice_equal(digits, SLICE("0")))
                return bad_network(lower, word, "has no number of bits behind its \"/\"");
            prefix = 0;
        }
    }
    made.prefix = (uint8_t)prefix;
    if (clear_host_bits(&made)) {
        char whole[INET6_ADDRSTRLEN];

        bad_value(lower, word,
                  "is one address and a network at once: it has bits behind its prefix");
        if (inet_ntop(made.family == 4 ? AF_INET : AF_INET6, made.address, whole,
                      sizeof(whole)))
            diag_help(lower->diag, "write \"%s/%u\" for the network, \"%s\" for the address",
                      whole, (unsigned)prefix, address);
        return false;
    }
    unmap(&made);
    *network = made;
    return true;
}

/* ---- shares ---- */

bool lower_count(struct slice text, uint32_t most, uint32_t *count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]) || value > most)
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (text.size == 0 || value == 0 || value > most)
        return false;
    *count = (uint32_t)value;
    return true;
}

bool lower_share(struct lower *lower, const struct ast_word *word, uint32_t *millionths)
{
    struct slice text = word->text;
    uint64_t value = 0;
    unsigned places = 0;
    size_t at = 0;
    bool has_point = false, has_digit = false;

    for (; at < text.size && text.data[at] != '%'; at++) {
        if (text.data[at] == '.' && !has_point && has_digit) {
            has_point = true;
            has_digit = false;
            continue;
        }
        if (!is_digit(text.data[at]) || value > 1000000 || places == 4)
            break;
        value = value * 10 + (uint64_t)(text.data[at] - '0');
        places += has_point ? 1U : 0U;
        has_digit = true;
    }
    for (; places < 4; places++)
        value *= 10;
    if (!has_digit || at + 1 != text.size || text.data[at] != '%' || value > 1000000) {
        bad_value(lower, word, "is no share of requests");
        diag_help(lower->diag,
                  "it is written as in \"10%%\" or \"0.25%%\", with four places at most");
        return false;
    }
    *millionths = (uint32_t)value;
    return true;
}

bool lower_percent(struct lower *lower, const struct ast_word *word, uint32_t least,
                   uint32_t *percent)
{
    struct slice text = word->text;
    uint32_t value = 0;
    bool is_good = text.size >= 2 && text.data[text.size - 1] == '%';

    if (is_good) {
        struct slice digits = slice_of(text.data, text.size - 1);

        is_good = lower_count(digits, 100, &value) || slice_equal(digits, SLICE("0"));
    }
    if (!is_good || value < least) {
        diag_error(lower->diag, DIAG_BAD_VALUE, word->span,
                   "\"%.*s\" is no share of workers: %u%% to 100%%", LOWER_SHOW(text),
                   (unsigned)least);
        return false;
    }
    *percent = value;
    return true;
}
