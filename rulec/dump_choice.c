/* SPDX-License-Identifier: Apache-2.0 */
/* Targets and `by` forms. Keys are quoted, so that none is taken for a target or a status; a line without a target is
 * written once for each of its keys, where the last of several would be taken for one. */
#include "config.h"

#include "rulec/dump_choice.h"

#include "mod_redir307/choice.h"

#include <inttypes.h>

void dump_target(struct dump_writer *writer, struct slice target, bool is_template,
                 const struct dump_captures *captures)
{
    dump_word_clear(&writer->word);
    if (!dump_add_target(&writer->word, target, is_template, captures)) {
        writer->wrong = dump_damaged;
        return;
    }
    fputs(" -> ", writer->out);
    dump_word_print(&writer->word, writer->out);
}

static void print_answer(struct dump_writer *writer, const struct choice_line *line,
                         const struct dump_captures *captures)
{
    if (line->target.size) {
        dump_word_clear(&writer->word);
        if (!dump_add_target(&writer->word, line->target, line->flags & CHOICE_TEMPLATE, captures))
            writer->wrong = dump_damaged;
        putc(' ', writer->out);
        dump_word_print(&writer->word, writer->out);
    }
    if (line->status_get)
        dump_status(writer, line->status_get, line->status_other);
}

static void print_line(struct dump_writer *writer, unsigned by, struct choice_line *line,
                       const struct dump_captures *captures)
{
    bool is_otherwise = line->flags & CHOICE_OTHERWISE;

    if (by == CHOICE_BY_CLIENT || by == CHOICE_BY_CHANCE) {
        fprintf(writer->out, "\n        %" PRIu32, line->weight);
        print_answer(writer, line, captures);
        return;
    }
    for (unsigned i = 0; i < line->key_count; i++) {
        bool is_last = i + 1 == line->key_count && !is_otherwise;

        fputs(i && line->target.size ? " " : "\n        ", writer->out);
        dump_string_print(cursor_slice(&line->keys), writer->out);
        if (is_last || !line->target.size)
            print_answer(writer, line, captures);
    }
    if (!is_otherwise)
        return;
    fputs(line->key_count && line->target.size ? " otherwise" : "\n        otherwise", writer->out);
    print_answer(writer, line, captures);
}

void dump_choice(struct dump_writer *writer, struct slice choice, const struct dump_captures *captures)
{
    static const char *const forms[CHOICE_BY_COUNT] = {
        [CHOICE_BY_ACCEPT] = "accept", [CHOICE_BY_LANGUAGE] = "language", [CHOICE_BY_HEADER] = "header",
        [CHOICE_BY_COOKIE] = "cookie", [CHOICE_BY_METHOD] = "method",     [CHOICE_BY_CLIENT] = "client",
        [CHOICE_BY_CHANCE] = "chance",
    };
    struct choice_line line;
    struct slice name;
    unsigned by;

    if (!choice_line_at(choice, 0, &by, &name, &line)) {
        writer->wrong = dump_damaged;
        return;
    }
    fprintf(writer->out, " -> by %s", forms[by]);
    if (name.size) {
        putc(' ', writer->out);
        dump_string_print(name, writer->out);
    }
    fputs(" {", writer->out);
    for (unsigned i = 0; choice_line_at(choice, i, &by, &name, &line); i++)
        print_line(writer, by, &line, captures);
    fputs("\n    }", writer->out);
}
