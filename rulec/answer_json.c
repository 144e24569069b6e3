/* SPDX-License-Identifier: Apache-2.0 */
/* The same members wherever an answer is told as JSON. */
#include "config.h"

#include "rulec/answer_json.h"

bool answer_response_field(const struct ruleset *ruleset, const struct answer *answer,
                           unsigned index, struct slice *name, struct slice *value)
{
    const struct {
        const char *name;
        struct slice value;
    } fixed[] = {
        { "Location", answer->location },
        { "Cache-Control", answer->cache_control },
        { "Vary", answer->vary },
    };

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (fixed[i].value.size == 0 || index-- > 0)
            continue;
        *name = slice_from_string(fixed[i].name);
        *value = fixed[i].value;
        return true;
    }
    return answer->headers && answer_header(ruleset, answer->headers, index, name, value);
}

void answer_set_rule(json_t *object, const struct ruleset *ruleset, uint32_t at)
{
    struct ruleset_place place = ruleset_place(ruleset, at);
    struct slice note, owner;

    json_object_set_new(object, "file", json_from_slice(place.source));
    json_object_set_new(object, "line", json_integer(place.line));
    ruleset_note(ruleset, at, &note, &owner);
    if (note.size)
        json_object_set_new(object, "note", json_from_slice(note));
    if (owner.size)
        json_object_set_new(object, "owner", json_from_slice(owner));
}

json_t *answer_to_json(const struct ruleset *ruleset, const struct answer *answer)
{
    static const char *const outcomes[] = { "none", "pass", "send" };
    json_t *root = json_object(), *fields = json_array();
    struct slice name, value;

    json_object_set_new(root, "outcome", json_from_text(outcomes[answer->outcome]));
    if (answer->outcome == ANSWER_SEND)
        json_object_set_new(root, "status", json_integer(answer->status));
    for (unsigned i = 0; answer_response_field(ruleset, answer, i, &name, &value); i++) {
        json_t *field = json_object();

        json_object_set_new(field, "name", json_from_slice(name));
        json_object_set_new(field, "value", json_from_slice(value));
        json_array_append_new(fields, field);
    }
    json_object_set_new(root, "headers", fields);
    if (answer->outcome != ANSWER_NONE) {
        json_t *rule = json_object();

        answer_set_rule(rule, ruleset, answer->place);
        json_object_set_new(root, "rule", rule);
    }
    return root;
}
