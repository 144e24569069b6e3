/* SPDX-License-Identifier: Apache-2.0 */
/* From options to what is known of a request. */
#include "config.h"

#include "rulec/command_request.h"

#include <string.h>
#include <strings.h>

static size_t count_of(const struct command_line *line, const char *name)
{
    int count = 0;

    while (options_value_at(line->options, name, count))
        count++;
    return (size_t)count;
}

/* A Host field is the host of URLs that name none. */
static enum command_status read_fields(const struct command_line *line, struct arena *arena,
                                       struct command_request *request)
{
    size_t count = count_of(line, "header");
    struct plan_header *fields = arena_array(arena, count + 1, sizeof *fields);

    for (size_t i = 0; i < count; i++) {
        const char *field = options_value_at(line->options, "header", (int)i), *colon = strchr(field, ':'), *value;
        size_t value_size;

        if (!colon || colon == field)
            return command_usage_error(line, "-H \"%s\": a field is written 'Name: value'", field);
        value = colon + 1 + strspn(colon + 1, " \t");
        value_size = strlen(value);
        while (value_size && strchr(" \t", value[value_size - 1]))
            value_size--;
        fields[i] = (struct plan_header){ .name = slice_of(field, (size_t)(colon - field)),
                                          .value = slice_of(value, value_size) };
        if (colon - field == 4 && strncasecmp(field, "Host", 4) == 0) {
            const char *host = arena_string(arena, fields[i].value);
            const char *wrong = strchr(host, '/') ? "it is no host" : request_base_set(&request->base, host);

            if (wrong)
                return command_usage_error(line, "-H \"%s\": %s", field, wrong);
        }
    }
    request_facts_set_fields(&request->facts, fields, count);
    return COMMAND_GOOD;
}

static enum command_status read_environment(const struct command_line *line, struct arena *arena,
                                            struct command_request *request)
{
    size_t count = count_of(line, "env"), flag_count = count_of(line, "flag");
    struct plan_header *env = arena_array(arena, count + 1, sizeof *env);
    struct slice *flags = arena_array(arena, flag_count + 1, sizeof *flags);

    for (size_t i = 0; i < count; i++) {
        const char *text = options_value_at(line->options, "env", (int)i), *equal = strchr(text, '=');

        if (equal == text || !*text)
            return command_usage_error(line, "--env \"%s\": a variable is written NAME=VALUE", text);
        env[i].name = slice_of(text, equal ? (size_t)(equal - text) : strlen(text));
        env[i].value = slice_from_string(equal ? equal + 1 : "");
    }
    for (size_t i = 0; i < flag_count; i++)
        flags[i] = slice_from_string(options_value_at(line->options, "flag", (int)i));
    request->facts.env = env;
    request->facts.env_count = count;
    request->facts.flags = flags;
    request->facts.flag_count = flag_count;
    return COMMAND_GOOD;
}

static enum command_status read_numbers(const struct command_line *line, struct command_request *request)
{
    const char *chance = options_value(line->options, "chance"), *busy = options_value(line->options, "busy");
    double percent;

    if (chance && !command_percent_read(chance, &percent))
        return command_usage_error(line, "--chance is a share from 0%% to 100%%, not \"%s\"", chance);
    if (chance)
        request_facts_set_chance(&request->facts, percent);
    if (busy && !command_percent_read(busy, &percent))
        return command_usage_error(line, "--busy is a share from 0%% to 100%%, not \"%s\"", busy);
    if (busy)
        request->facts.busy = (unsigned)percent;
    return COMMAND_GOOD;
}

enum command_status command_request_read(const struct command_line *line, struct arena *arena,
                                         struct command_request *request)
{
    const char *base = options_value(line->options, "base"), *at = options_value(line->options, "at");
    const char *client = options_value(line->options, "client"), *wrong;
    enum command_status status;

    request_base_init(&request->base);
    request_facts_init(&request->facts, arena);
    wrong = base ? request_base_set(&request->base, base) : NULL;
    if (wrong)
        return command_usage_error(line, "--base \"%s\": %s", base, wrong);
    if (at && !request_time_read(at, &request->facts.time_s))
        return command_usage_error(line, "--at \"%s\": a time is written 2026-12-01T00:00Z or 2026-12-01T00:00+01:00", at);
    if (client && !request_client_read(client, &request->facts.client))
        return command_usage_error(line, "--client \"%s\" is no IPv4 or IPv6 address", client);
    status = read_fields(line, arena, request);
    if (status == COMMAND_GOOD)
        status = read_environment(line, arena, request);
    return status == COMMAND_GOOD ? read_numbers(line, request) : status;
}
