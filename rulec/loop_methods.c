/* SPDX-License-Identifier: Apache-2.0 */
/* A short list, for rules name few methods. */
#include "config.h"

#include "rulec/loop_methods.h"

void loop_methods_init(struct loop_methods *methods)
{
    *methods = (struct loop_methods){ .items = { SLICE("GET") }, .count = 1 };
}

static void add_method(struct loop_methods *methods, struct slice name)
{
    if (slice_equal(name, SLICE("HEAD")))
        return;
    for (unsigned i = 0; i < methods->count; i++)
        if (slice_equal(methods->items[i], name))
            return;
    if (methods->count == LOOP_METHODS_LIMIT)
        methods->is_cut_short = true;
    else
        methods->items[methods->count++] = name;
}

void loop_methods_add(struct loop_methods *methods, const struct slice *names, uint32_t count)
{
    add_method(methods, LOOP_OTHER_METHOD);
    for (uint32_t i = 0; i < count; i++)
        add_method(methods, names[i]);
}

void loop_methods_find(struct loop_methods *methods, const struct plan *plan)
{
    loop_methods_init(methods);
    for (uint32_t i = 0; i < plan->action_count; i++)
        for (uint32_t k = 0; k < plan->actions[i].condition_count; k++) {
            const struct plan_condition *condition = &plan->actions[i].conditions[k];

            if (condition->kind == PLAN_CONDITION_METHOD)
                loop_methods_add(methods, condition->values, condition->value_count);
        }
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_choice *choice = plan_choice(&plan->rules[i]);

        for (uint32_t line = 0; choice && choice->by == PLAN_BY_METHOD && line < choice->line_count; line++)
            loop_methods_add(methods, choice->lines[line].keys, choice->lines[line].key_count);
    }
}
