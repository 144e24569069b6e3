/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: their order, their limits, and every byte of how they are printed. */
#include "config.h"

#include "grammar/diag.h"
#include "t/lib/tap.h"

#include <stdlib.h>

static struct arena *arena;
static struct source_set *set;
static struct diag *diag;
static const struct source *source;

static void start(struct slice text)
{
    arena = arena_open();
    set = source_set_open(arena);
    diag = diag_open(arena, set);
    source = source_add(set, "shop.redir", text);
}

static void stop(void)
{
    source_set_close(set);
    arena_close(arena);
}

static struct span part(uint32_t at, uint32_t size)
{
    return (struct span){ source->at + at, source->at + at + size };
}

static const char *printed(bool colored)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    const char *copy;

    diag_print_text(diag, out, colored);
    fclose(out);
    copy = arena_string(arena, slice_of(bytes, size));
    free(bytes);
    return copy;
}

static void a_message_shows_the_line(void)
{
    start(SLICE("# shop\n    /sale -> /offers\n    /offers -> /sale\n"));
    diag_error(diag, DIAG_LOOP, part(11, 5), "redirect \"%s\" leads back to itself", "/sale");
    diag_note(diag, part(32, 7), "through this rule");
    diag_help(diag, "end it with: /sale pass");
    is_string(printed(false),
              "shop.redir:2:5: error: redirect \"/sale\" leads back to itself [R307-041]\n"
              "    2 |     /sale -> /offers\n"
              "      |     ^~~~~\n"
              "shop.redir:3:5: note: through this rule\n"
              "help: end it with: /sale pass\n",
              "place, message, code, line, carets, note, help");
    is_string(printed(true),
              "\033[1mshop.redir:2:5:\033[0m \033[1;31merror:\033[0m redirect \"/sale\" leads back to itself [R307-041]\n"
              "    2 |     /sale -> /offers\n"
              "      |     \033[32m^~~~~\033[0m\n"
              "\033[1mshop.redir:3:5:\033[0m \033[1;36mnote:\033[0m through this rule\n"
              "\033[1;32mhelp:\033[0m end it with: /sale pass\n",
              "and in colours");
    stop();
}

static void messages_come_in_source_order(void)
{
    const struct diag_message *messages;

    start(SLICE("aa\nbb\ncc\n"));
    diag_error(diag, DIAG_SYNTAX, part(6, 2), "third");
    diag_error(diag, DIAG_SYNTAX, part(3, 2), "first at bb");
    diag_error(diag, DIAG_SYNTAX, part(3, 1), "second at bb");
    diag_error(diag, DIAG_SYNTAX, (struct span){ 0, 0 }, "without a place");
    is_number(diag_messages(diag, &messages), 4, "all are there");
    is_string(messages[0].text, "without a place", "what has no place comes first");
    is_string(messages[1].text, "first at bb", "then by place");
    is_string(messages[2].text, "second at bb", "of one place as they came");
    is_string(messages[3].text, "third", "the last line last");
    stop();
}

static void odd_places_are_printed_too(void)
{
    start(SLICE("\ta\tb\n\xC3\xA4 -> \xFFx\x1B[31m\n"));
    diag_error(diag, DIAG_SYNTAX, part(3, 1), "behind tabs");
    diag_error(diag, DIAG_SYNTAX, part(5, 2), "two bytes, one character");
    diag_error(diag, DIAG_SYNTAX, part(12, 30), "past the end of the line");
    diag_error(diag, DIAG_SYNTAX, part((uint32_t)source->text.size, 0), "the end of the file");
    diag_error(diag, DIAG_SYNTAX, (struct span){ 0, 0 }, "nowhere, with \x1B[0m and \xC3\xA4\xFF");
    is_string(printed(false),
              "error: nowhere, with ?[0m and \xC3\xA4? [R307-009]\n"
              "shop.redir:1:4: error: behind tabs [R307-009]\n"
              "    1 | \ta\tb\n"
              "      | \t \t^\n"
              "shop.redir:2:1: error: two bytes, one character [R307-009]\n"
              "    2 | \xC3\xA4 -> \xEF\xBF\xBDx\xEF\xBF\xBD[31m\n"
              "      | ^\n"
              "shop.redir:2:7: error: past the end of the line [R307-009]\n"
              "    2 | \xC3\xA4 -> \xEF\xBF\xBDx\xEF\xBF\xBD[31m\n"
              "      |       ^~~~~~\n"
              "shop.redir:3:1: error: the end of the file [R307-009]\n"
              "    3 | \n"
              "      | ^\n",
              "tabs are kept, control bytes never reach the terminal");
    stop();
}

static void long_lines_and_words_are_cut(void)
{
    enum { SIZE = 100000 };
    char *text = malloc(SIZE + 1);
    const char *output;

    memset(text, 'a', SIZE);
    text[SIZE] = '\0';
    start(slice_of(text, SIZE));
    diag_error(diag, DIAG_SYNTAX, part(50000, 10), "the word \"%s\" is long", text);
    output = printed(false);
    ok(strlen(output) < 1200, "a long line is shown in part");
    ok(strstr(output, "shop.redir:1:50001: error: the word \"aaa") == output, "the place is exact");
    ok(strstr(output, "...aaa") != NULL && strstr(output, "aaa...\n") != NULL, "what is left out is marked");
    ok(strstr(output, " ^~~~~~~~~~\n") != NULL, "the carets are there");
    free(text);
    stop();
}

static void past_the_limit_messages_are_counted_only(void)
{
    const struct diag_message *messages;

    start(SLICE("x\n"));
    for (int i = 0; i < DIAG_LIMIT + 5; i++) {
        diag_error(diag, DIAG_SYNTAX, part(0, 1), "error %d", i);
        diag_note(diag, part(0, 1), "its note");
    }
    diag_warning(diag, DIAG_INCLUDE_EMPTY, part(0, 1), "a warning");
    is_number(diag_error_count(diag), DIAG_LIMIT + 5, "all are counted");
    is_number(diag_messages(diag, &messages), DIAG_LIMIT + 1, "the first ones are kept, and warnings apart");
    ok(messages[DIAG_LIMIT - 1].notes != NULL && messages[DIAG_LIMIT - 1].notes->next == NULL,
       "a note of a message that was not kept goes with it");
    stop();
}

static void many_warnings_of_one_kind_hide_no_other(void)
{
    const struct diag_message *messages;

    start(SLICE("x\n"));
    for (int i = 0; i < DIAG_LIMIT + 5; i++)
        diag_warning(diag, DIAG_DUPLICATE_RULE, part(0, 1), "warning %d", i);
    diag_warning(diag, DIAG_HIDDEN_RULE, part(0, 1), "another kind");
    is_number(diag_warning_count(diag), DIAG_LIMIT + 6, "all are counted");
    is_number(diag_messages(diag, &messages), DIAG_LIMIT + 1, "each kind has its own limit");
    ok(messages[DIAG_LIMIT].code == DIAG_HIDDEN_RULE, "the other kind is kept");
    stop();
}

static void warnings_can_be_allowed_or_forbidden(void)
{
    const struct diag_message *messages;

    start(SLICE("group { allow include-empty }\nx\n"));
    diag_warning(diag, DIAG_INCLUDE_EMPTY, part(1, 1), "before, inside");
    diag_warning(diag, DIAG_INCLUDE_EMPTY, part(30, 1), "before, outside");
    diag_allow(diag, DIAG_INCLUDE_EMPTY, part(0, 29));
    diag_warning(diag, DIAG_INCLUDE_EMPTY, part(2, 1), "after, inside");
    diag_error(diag, DIAG_SYNTAX, part(3, 1), "an error, inside");
    is_number(diag_warning_count(diag), 1, "a warning inside the block is silent, whenever it came");
    is_number(diag_error_count(diag), 1, "errors are never allowed");
    is_number(diag_messages(diag, &messages), 2, "what is left");
    is_string(messages[1].text, "before, outside", "is the one outside");
    diag_warnings_are_errors(diag);
    is_number(diag_error_count(diag), 2, "-Werror counts warnings as errors");
    is_number(diag_warning_count(diag), 0, "and not twice");
    diag_messages(diag, &messages);
    ok(messages[1].severity == DIAG_ERROR, "and shows them so");
    stop();
}

static void codes_have_names_and_numbers(void)
{
    const enum diag_code *codes;
    size_t count = diag_code_list(&codes);
    enum diag_code found = DIAG_SYNTAX;
    bool all_found = count > 0, numbers_are_unique = true;

    is_string(diag_code_name(DIAG_INCLUDE_EMPTY), "include-empty", "a name as `allow` takes it");
    ok(diag_code_find(SLICE("R307-041"), &found) && found == DIAG_LOOP, "found by number");
    ok(diag_code_find(SLICE("include-empty"), &found) && found == DIAG_INCLUDE_EMPTY, "found by name");
    ok(!diag_code_find(SLICE("R307-999"), &found) && !diag_code_find(SLICE(""), &found), "others are not found");
    ok(diag_code_severity(DIAG_INCLUDE_EMPTY) == DIAG_WARNING && diag_code_severity(DIAG_LOOP) == DIAG_ERROR,
       "the severity is the code's");
    for (size_t i = 0; i < count; i++) {
        all_found &= diag_code_find(slice_from_string(diag_code_name(codes[i])), &found) && found == codes[i]
            && diag_code_text(codes[i])[0] != '\0';
        for (size_t j = 0; j < i; j++)
            numbers_are_unique &= codes[i] != codes[j];
    }
    ok(all_found, "each code of the list is found by its name and has a description");
    ok(numbers_are_unique, "no number is used twice");
}

int main(void)
{
    a_message_shows_the_line();
    messages_come_in_source_order();
    odd_places_are_printed_too();
    long_lines_and_words_are_cut();
    past_the_limit_messages_are_counted_only();
    many_warnings_of_one_kind_hide_no_other();
    warnings_can_be_allowed_or_forbidden();
    codes_have_names_and_numbers();
    return tap_done();
}
