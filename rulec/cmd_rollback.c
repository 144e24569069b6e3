/* SPDX-License-Identifier: Apache-2.0 */
/* rulec rollback: makes an earlier release the current one. It is what one reaches for when something is wrong, so it
 * needs no room on the disk: where the history cannot be written, it says so and goes on. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/plural.h"
#include "rulec/release_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec rollback_options[] = { { NULL, NULL, NULL, NULL } };

static enum command_status roll_back(const struct command_line *line, struct release_store *store)
{
    char id[RULESET_ID_SIZE + 1];
    enum release_status status = release_store_find(store, line->word_count > 1 ? line->words[1] : NULL, id);
    bool recorded = true;
    uint64_t rules;

    if (status != RELEASE_GOOD)
        return command_release_result(line, store, status);
    if (store->current_is == RELEASE_CURRENT_GOOD && strcmp(store->current_id, id) == 0) {
        if (!line->is_quiet)
            printf("%s is current already: %" PRIu64 " rule%s\n", id, store->current_rules,
                   plural(store->current_rules));
        return COMMAND_GOOD;
    }
    status = release_store_flip(store, id, "rollback", false, &recorded, &rules);
    if (status != RELEASE_GOOD)
        return command_release_result(line, store, status);
    if (!recorded)
        command_say(line, "%s cannot be written: the change is made, but not recorded", store->history_path);
    if (!line->is_quiet && store->current_is == RELEASE_CURRENT_GOOD)
        printf("%s is current again: %" PRIu64 " rule%s; it was %s: %" PRIu64 " rule%s\n", id, rules, plural(rules),
               store->current_id, store->current_rules, plural(store->current_rules));
    else if (!line->is_quiet)
        printf("%s is current again: %" PRIu64 " rule%s\n", id, rules, plural(rules));
    return COMMAND_GOOD;
}

static enum command_status run_rollback(const struct command_line *line)
{
    struct release_store store;
    enum release_status opened = release_store_open(line->words[0], RELEASE_WRITE, &store);
    enum command_status status = opened == RELEASE_GOOD ? roll_back(line, &store) : command_release_result(line, &store, opened);

    release_store_close(&store);
    return status;
}

const struct command command_rollback = {
    .name = "rollback",
    .summary = "make an earlier release current again",
    .arguments = "DIR [ID]",
    .word_min = 1,
    .word_max = 2,
    .options = rollback_options,
    .details = "Without ID: the release that was current before; again, the one before that. ID may be shortened as\n"
               "long as one release only starts so; \"rulec releases DIR\" lists them.\n",
    .run = run_rollback,
};
