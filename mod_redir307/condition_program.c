/* SPDX-License-Identifier: Apache-2.0 */
/* Reading programs: shared by the question whether they hold and by the check at open. */
#include "mod_redir307/condition_program.h"

static bool has_name(unsigned op)
{
    return op == RULESET_CONDITION_HEADER || op == RULESET_CONDITION_COOKIE || op == RULESET_CONDITION_QUERY
        || op == RULESET_CONDITION_ENV;
}

static bool has_strings(unsigned op)
{
    return op == RULESET_CONDITION_METHOD || op == RULESET_CONDITION_SCHEME || op == RULESET_CONDITION_ACCEPT
        || op == RULESET_CONDITION_LANGUAGE || op == RULESET_CONDITION_FLAG;
}

static uint64_t read_number(struct ruleset_cursor *program, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) value |= (uint64_t)cursor_u8(program) << (8 * i);
    return value;
}

bool condition_read(struct ruleset_cursor *program, struct condition *condition)
{
    unsigned string_count = 0, network_count = 0;

    *condition = (struct condition){ .op = cursor_u8(program) };
    condition->flags = cursor_u8(program);
    condition->value_count = cursor_u16(program);
    if (condition->op == RULESET_CONDITION_NONE || condition->op >= RULESET_CONDITION_OP_COUNT
        || condition->flags > (RULESET_CONDITION_UNLESS | RULESET_CONDITION_EQUAL | RULESET_CONDITION_REGEX)) {
        return false;
    }
    if (has_name(condition->op)) condition->name = cursor_slice(program);
    if (has_name(condition->op) && condition->flags & RULESET_CONDITION_REGEX) {
        condition->number = (uint32_t)read_number(program, 4);
    } else if (has_strings(condition->op) || (has_name(condition->op) && condition->flags & RULESET_CONDITION_EQUAL)) {
        string_count = condition->value_count;
    } else if (condition->op == RULESET_CONDITION_CLIENT) {
        network_count = condition->value_count;
    } else if (condition->op == RULESET_CONDITION_CHANCE || condition->op == RULESET_CONDITION_BUSY) {
        condition->number = (uint32_t)read_number(program, 4);
    } else if (condition->op == RULESET_CONDITION_WINDOW) {
        condition->from_s = (int64_t)read_number(program, 8);
        condition->until_s = (int64_t)read_number(program, 8);
    } else if (condition->op == RULESET_CONDITION_RECURRING) {
        condition->number = (uint32_t)read_number(program, 4);
        condition->days = cursor_u8(program);
        condition->start_s = (uint32_t)read_number(program, 4);
        condition->end_s = (uint32_t)read_number(program, 4);
        if (condition->start_s > CONDITION_DAY_S || condition->end_s > CONDITION_DAY_S) return false;
    }
    condition->values = *program;
    for (unsigned i = 0; i < string_count && !program->failed; i++) cursor_slice(program);
    for (unsigned i = 0; i < network_count && !program->failed; i++) {
        read_number(program, 2); /* family, prefix; then 16 bytes of address */
        read_number(program, 8);
        read_number(program, 8);
    }
    return !program->failed;
}

bool condition_section_is_sound(const uint8_t *bytes, uint64_t size)
{
    struct ruleset_cursor cursor = { .at = bytes, .end = bytes + size };

    if (size == 0) return true;
    read_number(&cursor, 4);
    while (cursor.at < cursor.end && !cursor.failed) {
        unsigned count = cursor_u16(&cursor);

        for (unsigned i = 0; i < count; i++) {
            struct condition condition;

            if (!condition_read(&cursor, &condition)) return false;
        }
    }
    return !cursor.failed;
}
