/* SPDX-License-Identifier: Apache-2.0 */
/* rulec deploy: keeps a rule file as a release and makes it the current one. It is proved whole before anything is
 * touched, and the server sees the old file or the new one, never a part. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/plural.h"
#include "rulec/release_store.h"
#include "rulec/rules_input.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec deploy_options[] = {
    { "max-loss", NULL, "PERCENT", "refuse a file with so many rules fewer than the current one, as 20%; unsaid: any file will do" },
    { NULL, NULL, NULL, NULL }
};

/* COMMAND_GOOD where the file may take the place of the current one. */
static enum command_status judge_loss(const struct command_line *line, const struct release_store *store,
                                      uint64_t rules)
{
    const char *written = options_value(line->options, "max-loss");
    double percent = 0, lost;

    if (!written || store->current_is == RELEASE_NO_CURRENT)
        return COMMAND_GOOD;
    if (store->current_is == RELEASE_CURRENT_BAD) {
        command_rules_error(line, "%s; how many rules would be lost cannot be told", store->reason);
        command_help_line("without --max-loss, deploy replaces it");
        return COMMAND_RULES;
    }
    command_percent_read(written, &percent);
    if (rules >= store->current_rules)
        return COMMAND_GOOD;
    lost = 100.0 * (double)(store->current_rules - rules) / (double)store->current_rules;
    if (lost <= percent)
        return COMMAND_GOOD;
    command_rules_error(line, "%s has %" PRIu64 " rule%s, the current release %" PRIu64 ": %.1f%% are lost, more than %s",
                        line->words[0], rules, plural(rules), store->current_rules, lost, written);
    command_help_line("nothing was changed; where this loss is meant, deploy with a higher --max-loss");
    return COMMAND_RULES;
}

static enum command_status deploy_into(const struct command_line *line, struct release_store *store,
                                       const struct ruleset_map *map)
{
    struct ruleset_counts counts;
    char id[RULESET_ID_SIZE + 1];
    enum release_status status;
    enum command_status judged;
    uint64_t rules;
    bool recorded;

    ruleset_id(map->ruleset, id);
    ruleset_counts(map->ruleset, &counts);
    judged = judge_loss(line, store, counts.rules);
    if (judged != COMMAND_GOOD)
        return judged;
    status = release_store_put(store, id, map->bytes, map->size);
    if (status != RELEASE_GOOD)
        return command_release_result(line, store, status);
    if (store->current_is == RELEASE_CURRENT_GOOD && strcmp(store->current_id, id) == 0) {
        if (!line->is_quiet)
            printf("%s is current already: %" PRIu64 " rule%s\n", id, counts.rules, plural(counts.rules));
        return COMMAND_GOOD;
    }
    status = release_store_flip(store, id, "deploy", true, &recorded, &rules);
    if (status != RELEASE_GOOD)
        return command_release_result(line, store, status);
    if (!line->is_quiet && store->current_is == RELEASE_CURRENT_GOOD)
        printf("%s is current: %" PRIu64 " rule%s; it was %s: %" PRIu64 " rule%s\n", id, rules, plural(rules),
               store->current_id, store->current_rules, plural(store->current_rules));
    else if (!line->is_quiet)
        printf("%s is current: %" PRIu64 " rule%s\n", id, rules, plural(rules));
    return COMMAND_GOOD;
}

static enum command_status run_deploy(const struct command_line *line)
{
    const char *path = line->words[0], *percent = options_value(line->options, "max-loss"), *wrong;
    char reason[RULESET_REASON_SIZE];
    struct release_store store;
    enum release_status opened;
    enum command_status status;
    struct ruleset_map map;
    double number;
    uint64_t at;

    if (percent && !command_percent_read(percent, &number))
        return command_usage_error(line, "--max-loss is a share from 0%% to 100%%, not \"%s\"", percent);
    if (rules_input_is_source(path)) {
        command_usage_error(line, "\"%s\" is a rules source; a rule file is deployed", path);
        command_help_line("make it with \"rulec compile\"");
        return COMMAND_USAGE;
    }
    if (!rules_input_readable(path, reason))
        return command_machine_error(line, "%s: %s", path, reason);
    /* A copy: what was proved is what is kept, whatever happens to the file meanwhile. */
    if (!ruleset_map_open(path, RULESET_MAP_COPY, &map, reason))
        return command_rules_error(line, "%s: %s", path, reason);
    wrong = ruleset_verify(map.ruleset, &at);
    if (wrong) {
        status = command_rules_error(line, "%s: at byte %" PRIu64 ": %s", path, at, wrong);
    } else {
        opened = release_store_open(line->words[1], RELEASE_CREATE, &store);
        status = opened == RELEASE_GOOD ? deploy_into(line, &store, &map) : command_release_result(line, &store, opened);
        release_store_close(&store);
    }
    ruleset_map_close(&map);
    return status;
}

const struct command command_deploy = {
    .name = "deploy",
    .summary = "keep a rule file as a release in a folder and make it current",
    .arguments = "RULES.r307 DIR",
    .word_min = 2,
    .word_max = 2,
    .options = deploy_options,
    .details = "The server maps DIR/current.r307. Releases are kept in DIR/releases by their id, changes are listed in\n"
               "DIR/history. A file that is damaged is refused, and so is one that lost too many rules.\n",
    .run = run_deploy,
};
