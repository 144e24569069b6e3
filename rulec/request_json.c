/* SPDX-License-Identifier: Apache-2.0 */
/* Reads { "method", "url", "headers", "env", "flags", "client", "at", "chance", "busy" }; all but
 * method and url may be left out. Strict, so that a name with a slip in it is told: a fact that is
 * passed over would change the answer. */
#include "config.h"

#include "rulec/request_json.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

struct reading {
    struct arena *arena;
    struct command_request *request;
    struct slice method, url;
};

/* The text of a string, in the arena; NULL where it is none. */
static const char *text_of(const struct reading *reading, const json_t *value)
{
    return json_is_string(value)
               ? arena_string(reading->arena, slice_from_string(json_string_value(value)))
               : NULL;
}

static const char *read_method(struct reading *reading, json_t *value)
{
    const char *text = text_of(reading, value);

    if (!text)
        return "\"method\" is a string";
    reading->method = slice_from_string(text);
    return NULL;
}

static const char *read_url(struct reading *reading, json_t *value)
{
    const char *text = text_of(reading, value);

    if (!text)
        return "\"url\" is a string";
    reading->url = slice_from_string(text);
    return NULL;
}

static const char *read_headers(struct reading *reading, json_t *value)
{
    static const char *const wrong =
        "\"headers\" is an array of { \"name\": ..., \"value\": ... }";
    size_t count = json_array_size(value);
    struct plan_header *fields = arena_array(reading->arena, count + 1, sizeof *fields);

    if (!json_is_array(value))
        return wrong;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(value, i);
        const char *name = text_of(reading, json_object_get(item, "name"));
        const char *text = text_of(reading, json_object_get(item, "value"));

        if (!name || !*name || !text || json_object_size(item) != 2)
            return wrong;
        fields[i].name = slice_from_string(name);
        fields[i].value = slice_trim(slice_from_string(text)); /* RFC 9110, 5.5 */
        /* A Host field is the host of a URL that names none. */
        if (strcasecmp(name, "Host") == 0) {
            const char *host = arena_string(reading->arena, fields[i].value);

            if (strchr(host, '/') || request_base_set(&reading->request->base, host))
                return "its Host field is no host";
        }
    }
    request_facts_set_fields(&reading->request->facts, fields, count);
    return NULL;
}

static const char *read_env(struct reading *reading, json_t *value)
{
    static const char *const wrong = "\"env\" is an object of strings";
    struct plan_header *env =
        arena_array(reading->arena, json_object_size(value) + 1, sizeof *env);
    const char *name;
    json_t *item;
    size_t count = 0;

    if (!json_is_object(value))
        return wrong;
    json_object_foreach(value, name, item)
    {
        const char *text = text_of(reading, item);

        if (!text || !*name)
            return wrong;
        env[count].name = arena_copy(reading->arena, slice_from_string(name));
        env[count++].value = slice_from_string(text);
    }
    reading->request->facts.env = env;
    reading->request->facts.env_count = count;
    return NULL;
}

static const char *read_flags(struct reading *reading, json_t *value)
{
    size_t count = json_array_size(value);
    struct slice *flags = arena_array(reading->arena, count + 1, sizeof *flags);

    for (size_t i = 0; i < count; i++) {
        const char *text = text_of(reading, json_array_get(value, i));

        if (!text)
            return "\"flags\" is an array of strings";
        flags[i] = slice_from_string(text);
    }
    reading->request->facts.flags = flags;
    reading->request->facts.flag_count = count;
    return json_is_array(value) ? NULL : "\"flags\" is an array of strings";
}

static const char *read_client(struct reading *reading, json_t *value)
{
    const char *text = text_of(reading, value);

    return text && request_client_read(text, &reading->request->facts.client)
               ? NULL
               : "\"client\" is an IPv4 or IPv6 address";
}

static const char *read_at(struct reading *reading, json_t *value)
{
    const char *text = text_of(reading, value);

    return text && request_time_read(text, &reading->request->facts.time_s)
               ? NULL
               : "\"at\" is a time, written 2026-12-01T00:00Z or 2026-12-01T00:00+01:00";
}

static const char *read_chance(struct reading *reading, json_t *value)
{
    double percent = json_number_value(value);

    if (!json_is_number(value) || !(percent >= 0 && percent <= 100))
        return "\"chance\" is a number from 0 to 100";
    request_facts_set_chance(&reading->request->facts, percent);
    return NULL;
}

static const char *read_busy(struct reading *reading, json_t *value)
{
    double percent = json_number_value(value);

    if (!json_is_number(value) || !(percent >= 0 && percent <= 100))
        return "\"busy\" is a number from 0 to 100";
    reading->request->facts.busy = (unsigned)percent;
    return NULL;
}

static const struct {
    const char *name;
    const char *(*read)(struct reading *reading, json_t *value);
} members[] = {
    { "method", read_method }, { "url", read_url },       { "headers", read_headers },
    { "env", read_env },       { "flags", read_flags },   { "client", read_client },
    { "at", read_at },         { "chance", read_chance }, { "busy", read_busy },
};

static const char *read_member(struct reading *reading, const char *name, json_t *value)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].name, name) == 0)
            return members[i].read(reading, value);
    return "it has a member of an unknown name";
}

const char *request_from_json(struct slice text, struct arena *arena,
                              struct command_request *request,
                              char host_buffer[URL_HOST_LIMIT + 1], struct request_key *key)
{
    struct reading reading = { .arena = arena, .request = request };
    json_t *root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL), *value;
    const char *wrong = NULL, *name;

    if (!json_is_object(root)) {
        json_decref(root);
        return "it is no JSON object";
    }
    request->facts.arena = arena;
    json_object_foreach(root, name, value)
    {
        wrong = read_member(&reading, name, value);
        if (wrong)
            break;
    }
    json_decref(root);
    return wrong ? wrong
                 : request_from_url(reading.method, reading.url, &request->base, host_buffer,
                                    key);
}
