/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting blanks, line ends and words off a text. */
#include "config.h"

#include "mod_redir307/slice.h"
#include "t/lib/tap.h"

static void blanks_around_are_cut_off(void)
{
    static const struct pair {
        const char *from, *to;
    } pairs[] = { { "", "" }, { " ", "" }, { " \t \t", "" }, { "a", "a" }, { " a", "a" }, { "a\t ", "a" },
                  { "\t a b \t", "a b" }, { "\ra\n", "\ra\n" } };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        is_slice(slice_trim(slice_from_string(pairs[i].from)), pairs[i].to, pairs[i].from);
    is_number(slice_trim(slice_of(NULL, 0)).size, 0, "nothing at all");
}

static void one_carriage_return_belongs_to_the_line_end(void)
{
    is_slice(slice_without_cr(SLICE("a\r")), "a", "of a file from Windows");
    is_slice(slice_without_cr(SLICE("a\r\r")), "a\r", "one only");
    is_slice(slice_without_cr(SLICE("\ra")), "\ra", "at the end only");
    is_number(slice_without_cr(slice_of(NULL, 0)).size, 0, "nothing at all");
}

static void words_are_taken_one_by_one(void)
{
    struct slice rest = SLICE("  GET\t/a\rb  "), nothing = slice_of(NULL, 0), word;

    word = slice_next_word(&rest);
    is_slice(word, "GET", "the first");
    word = slice_next_word(&rest);
    is_slice(word, "/a\rb", "only blanks and tabs end a word");
    is_slice(rest, "  ", "what follows is left");
    word = slice_next_word(&rest);
    is_slice(word, "", "no third");
    is_slice(rest, "", "and nothing is left");
    word = slice_next_word(&nothing);
    is_slice(word, "", "none of nothing");
}

int main(void)
{
    blanks_around_are_cut_off();
    one_carriage_return_belongs_to_the_line_end();
    words_are_taken_one_by_one();
    return tap_done();
}
