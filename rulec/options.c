/* SPDX-License-Identifier: Apache-2.0 */
/* The one option parser: tables in, given options out. It prints nothing but the tables themselves: what is wrong
 * with a command line is handed back as text. */
#include "config.h"

#include "rulec/options.h"

#include "grammar/arena.h"
#include "grammar/suggest.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const struct option_spec options_common[] = {
    { "color", NULL, "WHEN", "colours: auto (on a terminal, unless NO_COLOR is set), always, never" },
    { "quiet", "q", NULL, "say nothing but mistakes" },
    { "help", "h", NULL, "show this text" },
    { NULL, NULL, NULL, NULL }
};

struct given {
    const struct option_spec *spec;
    const char *value; /* NULL where it takes none */
};

struct options {
    struct given *given;
    int given_count;
    char **words;
};

enum { MESSAGE_SIZE = 512 };

static char reason_text[MESSAGE_SIZE], help_text[MESSAGE_SIZE];

static void say(const char **text, char *buffer, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(const char **text, char *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(buffer, MESSAGE_SIZE, format, arguments);
    va_end(arguments);
    *text = buffer;
}

static const struct option_spec *find(const struct option_spec *const *tables, const char *name, size_t size)
{
    for (; *tables; tables++)
        for (const struct option_spec *spec = *tables; spec->name; spec++)
            if (strlen(spec->name) == size && memcmp(spec->name, name, size) == 0)
                return spec;
    return NULL;
}

static const struct option_spec *find_short(const struct option_spec *const *tables, const char *name, size_t size)
{
    for (; *tables; tables++)
        for (const struct option_spec *spec = *tables; spec->name; spec++)
            if (spec->short_name && strlen(spec->short_name) == size && memcmp(spec->short_name, name, size) == 0)
                return spec;
    return NULL;
}

static void explain_unknown(const struct option_spec *const *tables, const char *written, size_t size,
                            const char **reason, const char **help)
{
    struct suggest suggest = { .word = slice_of(written, size) };

    say(reason, reason_text, "unknown option \"%.*s\"", (int)(size < 200 ? size : 200), written);
    while (suggest.word.size && *suggest.word.data == '-')
        suggest.word = slice_of(suggest.word.data + 1, suggest.word.size - 1);
    for (; *tables; tables++)
        for (const struct option_spec *spec = *tables; spec->name; spec++)
            suggest_try(&suggest, spec->name);
    if (suggest.best)
        say(help, help_text, "did you mean \"--%s\"?", suggest.best);
}

static void add(struct options *options, const struct option_spec *spec, const char *value)
{
    options->given[options->given_count++] = (struct given){ .spec = spec, .value = value };
}

/* --name, --name=VALUE, --name VALUE. *at is moved over a value in the next word. */
static bool parse_long(struct options *options, const struct option_spec *const *tables, int argc, char **argv, int *at,
                       const char **reason, const char **help)
{
    const char *name = argv[*at] + 2;
    const char *equal = strchr(name, '=');
    size_t size = equal ? (size_t)(equal - name) : strlen(name);
    const struct option_spec *spec = find(tables, name, size);

    if (!spec) {
        explain_unknown(tables, argv[*at], size + 2, reason, help);
        return false;
    }
    if (!spec->argument && equal) {
        say(reason, reason_text, "option \"--%s\" takes no value", spec->name);
        return false;
    }
    if (!spec->argument) {
        add(options, spec, NULL);
    } else if (equal) {
        add(options, spec, equal + 1);
    } else if (*at + 1 < argc) {
        add(options, spec, argv[++*at]);
    } else {
        say(reason, reason_text, "option \"--%s\" needs a value: --%s %s", spec->name, spec->name, spec->argument);
        return false;
    }
    return true;
}

/* -o FILE, -oFILE, -q, -qo FILE, -Werror. */
static bool parse_short(struct options *options, const struct option_spec *const *tables, int argc, char **argv, int *at,
                        const char **reason, const char **help)
{
    const char *letters = argv[*at] + 1;
    const struct option_spec *whole = find_short(tables, letters, strlen(letters));

    if (whole && !whole->argument) {
        add(options, whole, NULL);
        return true;
    }
    for (; *letters; letters++) {
        const struct option_spec *spec = find_short(tables, letters, 1);

        if (!spec) {
            explain_unknown(tables, argv[*at], strlen(argv[*at]), reason, help);
            return false;
        }
        if (!spec->argument) {
            add(options, spec, NULL);
        } else if (letters[1]) {
            add(options, spec, letters + 1);
            return true;
        } else if (*at + 1 < argc) {
            add(options, spec, argv[++*at]);
            return true;
        } else {
            say(reason, reason_text, "option \"-%s\" needs a value: -%s %s", spec->short_name, spec->short_name,
                spec->argument);
            return false;
        }
    }
    return true;
}

struct options *options_parse(const struct option_spec *specs, int argc, char **argv, char ***words, int *word_count,
                              const char **reason, const char **help)
{
    static const struct option_spec none[] = { { NULL, NULL, NULL, NULL } };
    const struct option_spec *const tables[] = { specs ? specs : none, options_common, NULL };
    struct options *options = memory_resize(NULL, 1, sizeof *options);
    bool only_words = false;
    size_t letters = 1;
    int count = 0;

    for (int i = 0; i < argc; i++)
        letters += strlen(argv[i]); /* no more options than letters: clusters (-qq) give one each */
    *options = (struct options){ .given = memory_resize(NULL, letters, sizeof *options->given),
                                 .words = memory_resize(NULL, (size_t)argc + 1, sizeof *options->words) };
    *help = NULL;
    for (int at = 0; at < argc; at++) {
        bool is_good = true;

        if (only_words || argv[at][0] != '-' || !argv[at][1])
            options->words[count++] = argv[at];
        else if (strcmp(argv[at], "--") == 0)
            only_words = true;
        else if (argv[at][1] == '-')
            is_good = parse_long(options, tables, argc, argv, &at, reason, help);
        else
            is_good = parse_short(options, tables, argc, argv, &at, reason, help);
        if (!is_good) {
            options_close(options);
            return NULL;
        }
    }
    options->words[count] = NULL;
    *words = options->words;
    *word_count = count;
    return options;
}

void options_close(struct options *options)
{
    if (!options)
        return;
    free(options->given);
    free(options->words);
    free(options);
}

bool options_has(const struct options *options, const char *name)
{
    for (int i = 0; i < options->given_count; i++)
        if (strcmp(options->given[i].spec->name, name) == 0)
            return true;
    return false;
}

const char *options_value(const struct options *options, const char *name)
{
    for (int i = options->given_count; i-- > 0;)
        if (strcmp(options->given[i].spec->name, name) == 0)
            return options->given[i].value;
    return NULL;
}

const char *options_value_at(const struct options *options, const char *name, int index)
{
    for (int i = 0; i < options->given_count; i++)
        if (strcmp(options->given[i].spec->name, name) == 0 && index-- == 0)
            return options->given[i].value;
    return NULL;
}

void options_print(const struct option_spec *specs, FILE *out)
{
    enum { COLUMN = 30 };

    for (; specs && specs->name; specs++) {
        int width = fprintf(out, "  ");

        width += specs->short_name ? fprintf(out, "-%s, ", specs->short_name) : fprintf(out, "    ");
        width += fprintf(out, "--%s", specs->name);
        if (specs->argument)
            width += fprintf(out, " %s", specs->argument);
        fprintf(out, "%*s%s\n", width < COLUMN ? COLUMN - width : 1, "", specs->help);
    }
}
