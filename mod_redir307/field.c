/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies, and the lists of Accept and Accept-Language. What is malformed in a list is passed over, the rest counts. */
#include "mod_redir307/field.h"

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte;
}

bool field_equal(struct slice a, struct slice b)
{
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    }
    return true;
}

/* Cuts the next part off, up to a separator outside of quotes. False: nothing is left. */
static bool next_part(struct slice *rest, char separator, struct slice *part)
{
    bool in_quotes = false;
    size_t end = 0;

    if (rest->size == 0) return false;
    for (; end < rest->size; end++) {
        char byte = rest->data[end];

        if (byte == '"') in_quotes = !in_quotes;
        else if (byte == '\\' && in_quotes && end + 1 < rest->size) end++;
        else if (!in_quotes && byte == separator) break;
    }
    *part = slice_trim(slice_of(rest->data, end));
    size_t used = end < rest->size ? end + 1 : end;
    *rest = slice_of(rest->data + used, rest->size - used);
    return true;
}

static struct slice without_quotes(struct slice text)
{
    if (text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"') {
        return slice_of(text.data + 1, text.size - 2);
    }
    return text;
}

/* Splits at the first `=`; false where there is none. */
static bool split_pair(struct slice pair, struct slice *name, struct slice *value)
{
    const char *equals = pair.size ? memchr(pair.data, '=', pair.size) : NULL;

    if (!equals) return false;
    *name = slice_trim(slice_of(pair.data, (size_t)(equals - pair.data)));
    *value = slice_trim(slice_of(equals + 1, pair.size - (size_t)(equals + 1 - pair.data)));
    return true;
}

/* Quotes hide nothing between cookies: neither `;` nor `,` can be in a value (RFC 6265, 4.1.1). */
static bool next_cookie(struct slice *rest, struct slice *pair)
{
    size_t end = 0;

    if (rest->size == 0) return false;
    while (end < rest->size && rest->data[end] != ';' && rest->data[end] != ',') end++;
    *pair = slice_trim(slice_of(rest->data, end));
    size_t used = end < rest->size ? end + 1 : end;
    *rest = slice_of(rest->data + used, rest->size - used);
    return true;
}

bool field_cookie(struct slice cookies, struct slice name, struct slice *value)
{
    struct slice pair, own;

    while (next_cookie(&cookies, &pair)) {
        if (!split_pair(pair, &own, value)) continue;
        if (!slice_equal(own, name)) continue;
        *value = without_quotes(*value);
        return true;
    }
    return false;
}

/* qvalue (RFC 9110, 12.4.2) in thousandths; -1: none. */
static int read_quality(struct slice text)
{
    int quality, scale = 100;

    if (text.size == 0 || text.size > 5 || (text.data[0] != '0' && text.data[0] != '1')) return -1;
    quality = text.data[0] == '1' ? 1000 : 0;
    if (text.size > 1 && text.data[1] != '.') return -1;
    for (size_t i = 2; i < text.size; i++, scale /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') return -1;
        quality += (text.data[i] - '0') * scale;
    }
    return quality <= 1000 ? quality : -1;
}

struct range {
    struct slice name;
    int quality;
};

/* The next element that is well formed. */
static bool next_range(struct slice *field, struct range *range)
{
    struct slice element, part, name, value;

    while (next_part(field, ',', &element)) {
        bool is_good = true;

        if (!next_part(&element, ';', &range->name) || range->name.size == 0) continue;
        range->quality = 1000;
        while (next_part(&element, ';', &part)) {
            if (!split_pair(part, &name, &value) || !field_equal(name, SLICE("q"))) continue;
            range->quality = read_quality(value);
            is_good = range->quality >= 0;
            break;
        }
        if (is_good) return true;
    }
    return false;
}

/* How specific a media range names a type: 2 itself, 1 by `type/` and a star, 0 not. */
static size_t media_rank(struct slice range, struct slice key)
{
    if (field_equal(range, key)) return 2;
    if (range.size >= 3 && range.data[range.size - 1] == '*' && range.data[range.size - 2] == '/'
        && range.data[0] != '*' && key.size >= range.size - 1
        && field_equal(slice_of(range.data, range.size - 1), slice_of(key.data, range.size - 1))) {
        return 1;
    }
    return 0;
}

static bool is_language_start(struct slice start, struct slice whole)
{
    return whole.size >= start.size && field_equal(start, slice_of(whole.data, start.size))
        && (whole.size == start.size || whole.data[start.size] == '-');
}

/* `de` and `de-CH` name each other, but who refuses `de-CH` may well read `de`; the longer the range, the more it says. */
static size_t language_rank(const struct range *range, struct slice key)
{
    if (slice_equal(range->name, SLICE("*"))) return 0;
    if (is_language_start(range->name, key)) return range->name.size;
    return range->quality > 0 && is_language_start(key, range->name) ? range->name.size : 0;
}

int field_quality(enum field_list list, struct slice field, struct slice key)
{
    size_t best = 0;
    int quality = FIELD_NOT_NAMED;
    struct range range;

    while (next_range(&field, &range)) {
        size_t rank = list == FIELD_MEDIA_TYPES ? media_rank(range.name, key) : language_rank(&range, key);

        if (rank == 0 || rank < best) continue;
        if (rank > best || range.quality > quality) quality = range.quality;
        best = rank;
    }
    return quality;
}

int field_wildcard_quality(enum field_list list, struct slice field)
{
    struct slice wildcard = list == FIELD_MEDIA_TYPES ? SLICE("*/*") : SLICE("*");
    int quality = 0;
    struct range range;

    if (slice_trim(field).size == 0) return 1000;
    while (next_range(&field, &range)) {
        if (slice_equal(range.name, wildcard) && range.quality > quality) quality = range.quality;
    }
    return quality;
}
