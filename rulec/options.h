/* SPDX-License-Identifier: Apache-2.0 */
/* One option parser for all subcommands. Options and words may stand in any order; `--` ends the options;
 * `-` is a word. A table of options is its own help. */
#ifndef RULEC_OPTIONS_H
#define RULEC_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct option_spec {
    const char *name;      /* "max-loss": written --max-loss */
    const char *short_name;/* "o": written -o; longer ones stand alone ("Werror": -Werror); NULL: none */
    const char *argument;  /* "FILE": it takes one; NULL: it takes none */
    const char *help;      /* one line */
};

/* --color, --quiet, --help: what every subcommand takes. Ends with a NULL name. */
extern const struct option_spec options_common[];

struct options;

/* Parses words and options of one subcommand. `words` is set to a NULL-ended row of what is no option. NULL: wrong;
 * *reason and *help (may be NULL) say why; they live until the process ends. */
struct options *options_parse(const struct option_spec *specs, int argc, char **argv, char ***words, int *word_count,
                              const char **reason, const char **help);
void options_close(struct options *options);

bool options_has(const struct options *options, const char *name);
/* The argument of the last one of that name; NULL: not given. */
const char *options_value(const struct options *options, const char *name);
/* The arguments of all of that name, in order: index from 0; NULL past the last. */
const char *options_value_at(const struct options *options, const char *name, int index);

/* "  -o, --output FILE     write to FILE" for each of a table. */
void options_print(const struct option_spec *specs, FILE *out);

#endif
