/* SPDX-License-Identifier: Apache-2.0 */
/* rulec diff: what changes for those who ask, when one rule file takes the place of another. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/command_request.h"
#include "rulec/diff.h"
#include "rulec/diff_log.h"
#include "rulec/json_out.h"
#include "rulec/rules_input.h"

#include "grammar/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec diff_options[] = {
    { "log", NULL, "FILE", "count the requests of an access log that are answered otherwise" },
    { "top", NULL, "COUNT", "name so many of their URLs, the most frequent first; unsaid: 20" },
    { "summary", NULL, NULL, "the counts only" },
    { "json", NULL, NULL, "as JSON" },
    COMMAND_REQUEST_OPTIONS,
    { NULL, NULL, NULL, NULL }
};

static const char *const part_names[DIFF_PART_COUNT] = { "target", "status", "conditions",
                                                         "settings", "order" };
static const char *const kind_names[] = { "added", "removed", "changed" };

struct diff_output {
    const struct diff_rows *old, *new;
    bool is_json, is_colored, only_counts, has_changes;
};

struct diff_input {
    const char *path;
    struct rules_input input;
    struct diff_rows rows;
};

/* ---- text ---- */

static void print_rule(const struct diff_output *output, const char *indent, char sign,
                       const struct diff_rows *rows, const struct diff_row *row,
                       const struct ruleset_host_view *host, const char *source)
{
    char *answer = diff_row_answer(rows, row, host);

    printf("%s%s%c %s%s%s\n", output->is_colored ? (sign == '-' ? "\033[31m" : "\033[32m") : "",
           indent, sign, source, answer, output->is_colored ? "\033[0m" : "");
    free(answer);
}

static void print_change(const struct diff_output *output, const struct diff_change *change)
{
    const char *indent = change->kind == DIFF_CHANGED ? "    " : "";

    if (change->kind == DIFF_CHANGED) {
        printf("~ %s: other", change->source);
        for (unsigned i = 0, count = 0; i < DIFF_PART_COUNT; i++)
            if (change->parts >> i & 1)
                printf("%s%s", count++ ? ", " : " ", part_names[i]);
        putchar('\n');
    }
    if (change->old)
        print_rule(output, indent, '-', output->old, change->old, change->old_host,
                   change->source);
    if (change->new)
        print_rule(output, indent, '+', output->new, change->new, change->new_host,
                   change->source);
}

static void print_site(void *baton, const struct diff_site *site)
{
    struct diff_output *output = baton;

    if (output->only_counts)
        return;
    printf("%ssite %s%s\n", output->has_changes ? "\n" : "", site->hosts,
           site->is_override ? " (override)" : "");
    output->has_changes = true;
    for (size_t i = 0; i < site->change_count; i++)
        print_change(output, &site->changes[i]);
}

static void print_counts(const struct diff_output *output, const struct diff_counts *counts)
{
    printf("%s%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed",
           output->has_changes ? "\n" : "", counts->added, counts->removed, counts->changed);
    for (unsigned i = 0, count = 0; i < DIFF_PART_COUNT; i++)
        if (counts->parts[i])
            printf("%s%" PRIu64 " %s", count++ ? ", " : " (", counts->parts[i], part_names[i]);
    printf("%s, %" PRIu64 " alike\n", counts->changed ? ")" : "", counts->alike);
}

static void print_log(struct diff_log *log, uint64_t top)
{
    uint64_t count = url_counts_sort(&log->urls);

    printf("%" PRIu64 " of %" PRIu64 " requests change (%.2f %%)", log->changed, log->requests,
           log->requests ? 100.0 * (double)log->changed / (double)log->requests : 0.0);
    if (log->unread)
        printf(", %" PRIu64 " line%s no request", log->unread, log->unread == 1 ? " holds" : "s hold");
    putchar('\n');
    for (uint64_t i = 0; i < count && i < top; i++) {
        const struct url_count *url = &log->urls.slots[i];

        printf("%8" PRIu64 " %s: %s, then %s\n", url->count, url->text, url->old, url->new);
    }
    if (count > top)
        printf("         and %s%" PRIu64 " more URLs\n", log->urls.is_exact ? "" : "at least ",
               count - top);
}

/* ---- JSON: one change at a time, so that a million of them need no memory ---- */

static json_t *rule_to_json(const struct diff_rows *rows, const struct diff_row *row,
                            const struct ruleset_host_view *host, const char *source)
{
    struct ruleset_place place = diff_row_place(rows, row);
    char *answer = diff_row_answer(rows, row, host);
    size_t size = strlen(source) + strlen(answer) + 1;
    char *rule = memory_resize(NULL, size, 1);
    json_t *object = json_object();

    snprintf(rule, size, "%s%s", source, answer);
    json_object_set_new(object, "rule", json_from_text(rule));
    if (place.line) {
        json_object_set_new(object, "file", json_from_slice(place.source));
        json_object_set_new(object, "line", json_integer(place.line));
    }
    free(rule);
    free(answer);
    return object;
}

static void put_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT);
    json_decref(value);
}

static void print_site_json(void *baton, const struct diff_site *site)
{
    struct diff_output *output = baton;

    for (size_t i = 0; i < site->change_count && !output->only_counts; i++) {
        const struct diff_change *change = &site->changes[i];
        json_t *object = json_object(), *parts = json_array();

        json_object_set_new(object, "site", json_from_text(site->hosts));
        json_object_set_new(object, "override", json_boolean(site->is_override));
        json_object_set_new(object, "source", json_from_text(change->source));
        json_object_set_new(object, "kind", json_from_text(kind_names[change->kind]));
        for (unsigned k = 0; k < DIFF_PART_COUNT; k++)
            if (change->parts >> k & 1)
                json_array_append_new(parts, json_from_text(part_names[k]));
        json_object_set_new(object, "differs", parts);
        if (change->old)
            json_object_set_new(
                object, "old",
                rule_to_json(output->old, change->old, change->old_host, change->source));
        if (change->new)
            json_object_set_new(
                object, "new",
                rule_to_json(output->new, change->new, change->new_host, change->source));
        fputs(output->has_changes ? ",\n" : "\n", stdout);
        output->has_changes = true;
        put_json(object);
    }
}

static json_t *counts_to_json(const struct diff_counts *counts)
{
    json_t *object = json_object(), *parts = json_object();

    json_object_set_new(object, "added", json_integer((json_int_t)counts->added));
    json_object_set_new(object, "removed", json_integer((json_int_t)counts->removed));
    json_object_set_new(object, "changed", json_integer((json_int_t)counts->changed));
    json_object_set_new(object, "alike", json_integer((json_int_t)counts->alike));
    for (unsigned i = 0; i < DIFF_PART_COUNT; i++)
        json_object_set_new(parts, part_names[i], json_integer((json_int_t)counts->parts[i]));
    json_object_set_new(object, "differs", parts);
    return object;
}

static json_t *log_to_json(struct diff_log *log, uint64_t top)
{
    json_t *object = json_object(), *urls = json_array();
    uint64_t count = url_counts_sort(&log->urls);

    json_object_set_new(object, "requests", json_integer((json_int_t)log->requests));
    json_object_set_new(object, "unread", json_integer((json_int_t)log->unread));
    json_object_set_new(object, "changed", json_integer((json_int_t)log->changed));
    json_object_set_new(object, "exact", json_boolean(log->urls.is_exact));
    for (uint64_t i = 0; i < count && i < top; i++) {
        const struct url_count *url = &log->urls.slots[i];
        json_t *item = json_object();

        json_object_set_new(item, "request", json_from_text(url->text));
        json_object_set_new(item, "count", json_integer((json_int_t)url->count));
        json_object_set_new(item, "old", json_from_text(url->old));
        json_object_set_new(item, "new", json_from_text(url->new));
        json_array_append_new(urls, item);
    }
    json_object_set_new(object, "urls", urls);
    return object;
}

/* ---- the command ---- */

static enum command_status replay(const struct command_line *line,
                                  const struct diff_input inputs[2],
                                  const struct diff_output *output, uint64_t top)
{
    const char *path = options_value(line->options, "log"), *reason;
    struct arena *arena = arena_open();
    struct command_request request;
    enum command_status status = command_request_read(line, arena, &request);
    struct diff_log log;

    if (status == COMMAND_GOOD) {
        const struct diff_log_options options = { .base = &request.base,
                                                  .facts = &request.facts,
                                                  .takes_client =
                                                      !options_has(line->options, "client") };

        if (!diff_log_run(&log, path, inputs[0].rows.ruleset, inputs[1].rows.ruleset, &options,
                          &reason)) {
            status = command_machine_error(line, "%s: %s", path, reason);
        } else if (output->is_json) {
            fputs(",\n\"log\": ", stdout);
            put_json(log_to_json(&log, top));
        } else if (!line->is_quiet) {
            print_log(&log, top);
        }
        diff_log_fini(&log);
    }
    arena_close(arena);
    return status;
}

static enum command_status compare(const struct command_line *line,
                                   const struct diff_input inputs[2], uint64_t top)
{
    struct diff_output output = { .old = &inputs[0].rows,
                                  .new = &inputs[1].rows,
                                  .is_json = options_has(line->options, "json"),
                                  .is_colored = line->colored_out,
                                  .only_counts =
                                      options_has(line->options, "summary") || line->is_quiet };
    enum command_status status = COMMAND_GOOD;
    struct diff_counts counts;

    if (output.is_json)
        fputs("{ \"changes\": [", stdout);
    diff_run(output.old, output.new, output.is_json ? print_site_json : print_site, &output,
             &counts);
    if (output.is_json) {
        fputs("],\n\"counts\": ", stdout);
        put_json(counts_to_json(&counts));
    } else if (!line->is_quiet) {
        print_counts(&output, &counts);
    }
    if (options_has(line->options, "log"))
        status = replay(line, inputs, &output, top);
    if (output.is_json)
        fputs(" }\n", stdout);
    if (status != COMMAND_GOOD)
        return status;
    return counts.added || counts.removed || counts.changed ? COMMAND_RULES : COMMAND_GOOD;
}

static bool open_input(const struct command_line *line, struct diff_input *input,
                       struct bytes_pool *pool, enum command_status *status)
{
    if (!command_open_rules(line, input->path, &input->input, status))
        return false;
    if (diff_rows_read(&input->rows, input->input.ruleset, pool))
        return true;
    *status = command_rules_error(line, "%s: %s", input->path, input->rows.wrong);
    diff_rows_free(&input->rows);
    rules_input_close(&input->input);
    return false;
}

static void close_input(struct diff_input *input)
{
    diff_rows_free(&input->rows);
    rules_input_close(&input->input);
}

/* "20". False: it is no number. */
static bool read_count(const char *text, uint64_t *count)
{
    char *end;

    *count = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static enum command_status run_diff(const struct command_line *line)
{
    const char *log = options_value(line->options, "log"),
               *top_text = options_value(line->options, "top");
    struct diff_input inputs[2] = { { .path = line->words[0] }, { .path = line->words[1] } };
    struct bytes_pool pool = { .used = 0 };
    enum command_status status = COMMAND_GOOD;
    uint64_t top = 20;

    if (top_text && !read_count(top_text, &top))
        return command_usage_error(line, "--top is a number, not \"%s\"", top_text);
    if ((strcmp(line->words[0], "-") == 0) + (strcmp(line->words[1], "-") == 0) +
            (log && strcmp(log, "-") == 0) >
        1)
        return command_usage_error(line, "one thing only can come from standard input");
    if (open_input(line, &inputs[0], &pool, &status)) {
        if (open_input(line, &inputs[1], &pool, &status)) {
            status = compare(line, inputs, top);
            close_input(&inputs[1]);
        }
        close_input(&inputs[0]);
    }
    bytes_pool_free(&pool);
    return status;
}

const struct command command_diff = {
    .name = "diff",
    .summary = "show what another rule file changes for those who ask",
    .arguments = "OLD NEW",
    .word_min = 2,
    .word_max = 2,
    .options = diff_options,
    .details = "OLD and NEW are rule files (.r307) or rules sources (.redir). Options about a "
               "request are for --log: they\n"
               "say what a log does not. The exit status is 0 where both are alike, 1 where "
               "they differ.\n",
    .run = run_diff,
};
