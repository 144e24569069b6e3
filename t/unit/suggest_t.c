/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest known name: near enough to help, and never a wild guess. */
#include "config.h"

#include "grammar/suggest.h"
#include "t/lib/tap.h"

static const char *const names[] = { "site", "group", "include", "permanent", "temporary", "retry-after", "let" };

static const char *nearest(const char *word)
{
    const char *name = suggest_nearest(slice_from_string(word), names, sizeof(names) / sizeof(names[0]));

    return name != NULL ? name : "(none)";
}

static void distances_are_counted_in_edits(void)
{
    is_number(suggest_distance(SLICE("site"), SLICE("site"), 3), 0, "the same word");
    is_number(suggest_distance(SLICE("sitee"), SLICE("site"), 3), 1, "one byte too many");
    is_number(suggest_distance(SLICE("ste"), SLICE("site"), 3), 1, "one byte missing");
    is_number(suggest_distance(SLICE("siet"), SLICE("site"), 3), 1, "neighbours swapped count once");
    is_number(suggest_distance(SLICE("sute"), SLICE("site"), 3), 1, "one byte changed");
    is_number(suggest_distance(SLICE("SITE"), SLICE("site"), 3), 0, "case is no difference");
    is_number(suggest_distance(SLICE(""), SLICE("abc"), 3), 3, "an empty word");
    is_number(suggest_distance(SLICE("abcdef"), SLICE("ghijkl"), 3), 4, "past the limit is limit + 1");
}

static void misspelt_names_are_found(void)
{
    is_string(nearest("sitee"), "site", "sitee");
    is_string(nearest("Site"), "site", "another case");
    is_string(nearest("permenant"), "permanent", "permenant");
    is_string(nearest("temproary"), "temporary", "temproary");
    is_string(nearest("retry_after"), "retry-after", "an underscore for a dash");
    is_string(nearest("inlcude"), "include", "inlcude");
}

static void other_words_bring_no_guess(void)
{
    is_string(nearest("foo"), "(none)", "foo");
    is_string(nearest("bus"), "(none)", "a word that shares no more than its length");
    is_string(nearest(""), "(none)", "the empty word");
    is_string(nearest("x"), "(none)", "one byte");
    is_string(nearest("a-word-far-longer-than-any-keyword-that-anybody-would-write"), "(none)", "a long word");
}

int main(void)
{
    distances_are_counted_in_edits();
    misspelt_names_are_found();
    other_words_bring_no_guess();
    return tap_done();
}
