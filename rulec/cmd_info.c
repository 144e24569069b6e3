/* SPDX-License-Identifier: Apache-2.0 */
/* rulec info: what is in a rule file, in numbers. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/json_out.h"
#include "rulec/rules_input.h"

#include <inttypes.h>
#include <stdio.h>

static const struct option_spec info_options[] = {
    { "json", NULL, NULL, "as JSON" },
    { NULL, NULL, NULL, NULL }
};

struct number {
    const char *key;    /* in JSON */
    const char *title;  /* on a terminal */
    uint64_t value;
};

enum { NUMBER_COUNT = 17 };

static void list_numbers(const struct ruleset_counts *counts, struct number numbers[NUMBER_COUNT])
{
    const struct number list[NUMBER_COUNT] = {
        { "file_size", "bytes", counts->file_size },
        { "rules", "rules", counts->rules },
        { "exact_keys", "exact sources", counts->exact_keys },
        { "pattern_keys", "other sources", counts->pattern_keys },
        { "scopes", "sites", counts->scopes },
        { "hosts", "hosts", counts->hosts },
        { "shapes", "shapes", counts->shapes },
        { "worst_probes", "probes of one request, at worst", counts->worst_probes },
        { "actions", "actions", counts->actions },
        { "conditions", "conditions", counts->conditions },
        { "regexes", "regexes", counts->regexes },
        { "expects", "tests in the rules", counts->expects },
        { "sources", "files they were written in", counts->sources },
        { "exact_size", "bytes for exact sources",
          counts->exact_index_size + counts->exact_record_size },
        { "pattern_size", "bytes for other sources",
          counts->pattern_index_size + counts->pattern_record_size },
        { "index_size", "bytes of both indexes", counts->exact_index_size + counts->pattern_index_size },
        { "target_size", "bytes of targets", counts->target_size },
    };

    for (size_t i = 0; i < NUMBER_COUNT; i++)
        numbers[i] = list[i];
}

static enum command_status run_info(const struct command_line *line)
{
    struct number numbers[NUMBER_COUNT];
    struct ruleset_counts counts;
    struct rules_input input;
    enum command_status status = COMMAND_GOOD;
    char id[RULESET_ID_SIZE + 1];
    bool needs_slash;

    if (!command_open_rules(line, line->words[0], &input, &status))
        return status;
    ruleset_counts(input.ruleset, &counts);
    ruleset_id(input.ruleset, id);
    needs_slash = ruleset_needs_encoded_slash(input.ruleset);
    list_numbers(&counts, numbers);
    if (options_has(line->options, "json")) {
        json_t *root = json_object();

        json_object_set_new(root, "id", json_from_text(id));
        json_object_set_new(root, "format", json_pack("[i, i]", (int)counts.format_major, (int)counts.format_minor));
        for (size_t i = 0; i < NUMBER_COUNT; i++)
            json_object_set_new(root, numbers[i].key, json_integer((json_int_t)numbers[i].value));
        json_object_set_new(root, "needs_encoded_slash", json_boolean(needs_slash));
        json_print(root, stdout);
    } else {
        printf("%-32s %s\n%-32s %u.%u\n", "id", id, "format", counts.format_major, counts.format_minor);
        for (size_t i = 0; i < NUMBER_COUNT; i++)
            printf("%-32s %" PRIu64 "\n", numbers[i].title, numbers[i].value);
        if (needs_slash)
            puts("a source holds %2F: httpd needs AllowEncodedSlashes NoDecode");
    }
    rules_input_close(&input);
    return COMMAND_GOOD;
}

const struct command command_info = {
    .name = "info",
    .summary = "show a rule file's id, counts and sizes",
    .arguments = "RULES",
    .word_min = 1,
    .word_max = 1,
    .options = info_options,
    .details = "RULES is a rule file (.r307), or a rules source (.redir) that is compiled in memory.\n",
    .run = run_info,
};
