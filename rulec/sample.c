/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a source down with its placeholders filled in. */
#include "config.h"

#include "rulec/sample.h"

static bool put(struct sample *sample, struct slice text)
{
    if (text.size > SAMPLE_LIMIT - sample->size)
        return false;
    if (text.size)
        memcpy(sample->text + sample->size, text.data, text.size);
    sample->size += text.size;
    return true;
}

struct slice sample_part(const struct plan_part *part, struct slice filler)
{
    switch (part->kind) {
    case PLAN_PART_LITERAL:
        return part->text;
    case PLAN_PART_SET:
        return part->set[0];
    case PLAN_PART_INT:
    case PLAN_PART_HEX:
        return SLICE("1");
    case PLAN_PART_UUID:
        return SLICE("00000000-0000-4000-8000-000000000000");
    case PLAN_PART_DATE:
        return SLICE("2000-01-01");
    case PLAN_PART_VERSION:
        return SLICE("1.0");
    case PLAN_PART_SLUG:
    case PLAN_PART_FREE:
        return filler;
    case PLAN_PART_REGEX:
        break;
    }
    return slice_of(NULL, 0);
}

static bool put_parts(struct sample *sample, const struct plan_segment *segment, struct slice filler)
{
    for (uint32_t i = 0; i < segment->part_count; i++) {
        struct slice text = sample_part(&segment->parts[i], filler);

        if (!text.data || !put(sample, text))
            return false;
    }
    return true;
}

static bool put_segments(struct sample *sample, const struct plan_segment *segments, uint32_t count,
                         struct slice filler)
{
    for (uint32_t i = 0; i < count; i++)
        if (!put(sample, SLICE("/")) || !put_parts(sample, &segments[i], filler))
            return false;
    return true;
}

static bool put_path(struct sample *sample, const struct plan_pattern *pattern, struct slice filler)
{
    if (!put_segments(sample, pattern->head, pattern->head_count, filler))
        return false;
    switch (pattern->tail) {
    case PLAN_TAIL_NONE:
        break;
    case PLAN_TAIL_BELOW:
        if (!put(sample, filler))
            return false;
        break;
    case PLAN_TAIL_SUBTREE:
    case PLAN_TAIL_MANY:
        if (!put(sample, SLICE("/")) || !put(sample, filler) || !put(sample, pattern->suffix))
            return false;
        break;
    }
    if (!put_segments(sample, pattern->rest, pattern->rest_count, filler))
        return false;
    return (!pattern->ends_in_slash && sample->size > 0) || put(sample, SLICE("/"));
}

static bool put_encoded(struct sample *sample, struct slice text)
{
    size_t room = SAMPLE_LIMIT - sample->size;
    size_t size = url_encode(text, URL_IN_VALUE, sample->text + sample->size, room);

    if (size > room)
        return false;
    sample->size += size;
    return true;
}

static bool put_parameter(struct sample *sample, const struct plan_parameter *parameter, struct slice filler)
{
    if (!put_encoded(sample, parameter->name))
        return false;
    if (parameter->kind == PLAN_VALUE_ANY)
        return true;
    if (!put(sample, SLICE("=")))
        return false;
    for (uint32_t i = 0; i < parameter->value.part_count; i++) {
        struct slice text = sample_part(&parameter->value.parts[i], filler);

        if (!text.data || !put_encoded(sample, text))
            return false;
    }
    return true;
}

bool sample_source(const struct plan_rule *rule, struct slice filler, struct sample *sample)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    sample->size = 0;
    sample->has_query = false;
    if (!pattern) {
        bool fits = put(sample, plan_path(rule));

        sample->path_size = sample->size;
        return fits;
    }
    if (pattern->regex.size || !put_path(sample, pattern, filler))
        return false;
    sample->path_size = sample->size;
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        sample->has_query = true;
        if (!put(sample, i ? SLICE("&") : SLICE("?")) ||
            !put_parameter(sample, &pattern->parameters[i], filler))
            return false;
    }
    return true;
}

struct slice sample_path(const struct sample *sample)
{
    return slice_of(sample->text, sample->path_size);
}

struct slice sample_query(const struct sample *sample)
{
    if (!sample->has_query)
        return slice_of(NULL, 0);
    return slice_of(sample->text + sample->path_size + 1, sample->size - sample->path_size - 1);
}
