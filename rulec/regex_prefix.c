/* SPDX-License-Identifier: Apache-2.0 */
/* Reads only as much of the regex syntax as it takes to be sure; what it does not know ends the prefix. */
#include "config.h"

#include "rulec/regex_prefix.h"

/* An alternative outside of all groups: nothing is certain then. `\Q` is not looked into. */
static bool has_top_alternative(struct slice regex)
{
    unsigned depth = 0;
    bool in_class = false;

    for (size_t i = 0; i < regex.size; i++) {
        char byte = regex.data[i];

        if (byte == '\\') {
            if (i + 1 < regex.size && regex.data[i + 1] == 'Q') return true;
            i++;
        } else if (in_class) {
            in_class = byte != ']';
        } else if (byte == '[') {
            in_class = true;
            /* "]" directly behind the start is a member */
            if (i + 1 < regex.size && regex.data[i + 1] == '^') i++;
            if (i + 1 < regex.size && regex.data[i + 1] == ']') i++;
        } else if (byte == '(') {
            depth++;
        } else if (byte == ')') {
            depth -= depth > 0;
        } else if (byte == '|' && depth == 0) {
            return true;
        }
    }
    return false;
}

static bool is_alphanumeric(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

struct slice regex_prefix(struct arena *arena, struct slice regex)
{
    char *text = arena_alloc(arena, regex.size + 1);
    size_t size = 0;

    if (regex.size == 0 || regex.data[0] != '^' || has_top_alternative(regex)) return slice_of(text, 0);
    for (size_t i = 1; i < regex.size; i++) {
        char byte = regex.data[i];

        if (byte == '\\') {
            /* a backslash takes the meaning from punctuation and gives one to letters and digits */
            if (++i == regex.size || is_alphanumeric(regex.data[i])) break;
            byte = regex.data[i];
        } else if (strchr(".[]()|?*+{}^$", byte)) {
            break;
        }
        char next = i + 1 < regex.size ? regex.data[i + 1] : 0;
        if (next == '?' || next == '*' || next == '{') break;
        text[size++] = byte;
        if (next == '+') break;
    }
    return slice_of(text, size);
}
