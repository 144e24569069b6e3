/* SPDX-License-Identifier: Apache-2.0 */
/* What every match of a regex must begin with. */
#include "config.h"

#include "rulec/regex_prefix.h"
#include "t/lib/tap.h"

static struct arena *arena;

static void begins(const char *regex, const char *want)
{
    struct slice got = regex_prefix(arena, slice_from_string(regex));

    is_slice(got, want, *regex ? regex : "nothing");
}

static void plain_text_is_taken(void)
{
    begins("^/x/a(b|c)", "/x/a");
    begins("^/x/\\d+$", "/x/");
    begins("^/a\\.b\\/c\\-d.*", "/a.b/c-d");
    begins("^/a$", "/a");
    begins("^/a-b_c~d%20e", "/a-b_c~d%20e");
    begins("^/x/(?<id>\\d+)$", "/x/");
    begins("^/x}/", "/x");
}

static void a_quantifier_takes_its_byte(void)
{
    begins("^/ab?", "/a");
    begins("^/ab*", "/a");
    begins("^/ab{0,2}", "/a");
    begins("^/ab+c", "/ab");
    begins("^/a\\.?", "/a");
    begins("^?/a", "");
}

static void what_is_not_certain_is_left(void)
{
    begins("", "");
    begins("/x/", "");
    begins(".*", "");
    begins("^(/a|/b)", "");
    begins("^/a|^/b", "");
    begins("^/a(x|y)|/b", "");
    begins("^/a[|]b", "/a");
    begins("^/a[]|]b", "/a");
    begins("^/a[^]|]b", "/a");
    begins("^/a[[:alpha:]|]b", "");
    begins("^/a[\\]|]b", "/a");
    begins("^/a\\|b", "/a|b");
    begins("^(?i)/a", "");
    begins("^(?x)/a", "");
    begins("(?i)^/a", "");
    begins("^/a\\Q|b\\E", "");
    begins("^/a\\x2f", "/a");
    begins("^/a\\b", "/a");
    begins("^/a\\", "/a");
    begins("^", "");
    begins("^/a(", "/a");
    begins("^/a[", "/a");
}

int main(void)
{
    arena = arena_open();
    plain_text_is_taken();
    a_quantifier_takes_its_byte();
    what_is_not_certain_is_left();
    arena_close(arena);
    return tap_done();
}
