/* SPDX-License-Identifier: Apache-2.0 */
/* rulec releases: what can be made current, the last deployed first. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/json_out.h"
#include "rulec/release_store.h"

#include <inttypes.h>
#include <stdio.h>

static const struct option_spec releases_options[] = {
    { "json", NULL, NULL, "as JSON" },
    { NULL, NULL, NULL, NULL }
};

static void print_text(const struct release *releases, size_t count)
{
    printf("  %-*s %9s %12s  %s\n", RULESET_ID_SIZE, "ID", "RULES", "BYTES", "CURRENT SINCE");
    for (size_t i = 0; i < count; i++) {
        const struct release *release = &releases[i];

        printf("%c %s ", release->is_current ? '*' : ' ', release->id);
        if (release->line)
            printf("%9" PRIu64 " %12" PRIu64 "  %s", release->line->rules, release->size, release->line->time);
        else
            printf("%9s %12" PRIu64 "  %-20s", "?", release->size, "not in the history");
        puts(release->is_current ? "  current" : release->is_previous ? "  previous" : "");
    }
}

static void print_json(const struct release *releases, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct release *release = &releases[i];
        json_t *item = json_object();

        json_object_set_new(item, "id", json_from_text(release->id));
        json_object_set_new(item, "size", json_integer((json_int_t)release->size));
        json_object_set_new(item, "rules",
                            release->line ? json_integer((json_int_t)release->line->rules) : json_null());
        json_object_set_new(item, "time", release->line ? json_from_text(release->line->time) : json_null());
        json_object_set_new(item, "current", json_boolean(release->is_current));
        json_object_set_new(item, "previous", json_boolean(release->is_previous));
        json_array_append_new(list, item);
    }
    json_print(list, stdout);
}

static enum command_status run_releases(const struct command_line *line)
{
    enum command_status status = COMMAND_GOOD;
    struct release_store store;
    struct release *releases;
    size_t count;

    if (release_store_open(line->words[0], RELEASE_READ, &store) != RELEASE_GOOD ||
        release_store_list(&store, &releases, &count) != RELEASE_GOOD) {
        status = command_machine_error(line, "%s", store.reason);
    } else {
        if (options_has(line->options, "json"))
            print_json(releases, count);
        else if (count)
            print_text(releases, count);
        else if (!line->is_quiet)
            command_say(line, "%s: nothing was deployed here", line->words[0]);
        if (store.current_is == RELEASE_CURRENT_BAD)
            status = command_rules_error(line, "%s", store.reason);
    }
    release_store_close(&store);
    return status;
}

const struct command command_releases = {
    .name = "releases",
    .summary = "list the releases in a folder",
    .arguments = "DIR",
    .word_min = 1,
    .word_max = 1,
    .options = releases_options,
    .details = "The current release is marked by a star; \"previous\" is the one that a roll-back goes to.\n",
    .run = run_releases,
};
