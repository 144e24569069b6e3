/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions fail closed: an unknown operation or damaged bytes never hold. All conditions of a program must hold;
 * of one condition's values one is enough. */
#include "mod_redir307/condition.h"

/* HEAD is a GET whose body is not sent (RFC 9110, 9.3.2). */
static struct slice effective_method(struct slice method)
{
    return slice_equal(method, SLICE("HEAD")) ? SLICE("GET") : method;
}

static bool any_value_is(struct ruleset_cursor *program, unsigned count, struct slice wanted)
{
    bool found = false;

    for (unsigned i = 0; i < count; i++) found |= slice_equal(cursor_slice(program), wanted);
    return found;
}

static bool any_method_is(struct ruleset_cursor *program, unsigned count, struct slice wanted)
{
    bool found = false;

    for (unsigned i = 0; i < count; i++) {
        found |= slice_equal(effective_method(cursor_slice(program)), effective_method(wanted));
    }
    return found;
}

bool condition_holds(const struct ruleset *ruleset, uint32_t conditions, const struct request_key *key,
                     struct condition_reads *reads, const char **why)
{
    if (conditions == 0) return true;

    struct ruleset_cursor program = ruleset_cursor(ruleset, RULESET_CONDITIONS, conditions);
    unsigned count = cursor_u16(&program);

    for (unsigned i = 0; i < count; i++) {
        unsigned op = cursor_u8(&program), is_unless = cursor_u8(&program), values = cursor_u16(&program);
        bool holds;

        switch (op) {
        case RULESET_CONDITION_METHOD:
            holds = any_method_is(&program, values, key->method);
            *why = is_unless ? "its `unless method` excludes this method" : "its `when method` names other methods";
            break;
        case RULESET_CONDITION_SCHEME:
            holds = any_value_is(&program, values, key->scheme);
            reads->forwarded_scheme |= key->scheme_was_forwarded;
            *why = is_unless ? "its `unless scheme` excludes this scheme" : "its `when scheme` names another scheme";
            break;
        default:
            *why = "its conditions are damaged";
            return false;
        }
        if (program.failed) {
            *why = "its conditions are damaged";
            return false;
        }
        if (holds == (is_unless != 0)) return false;
    }
    if (program.failed) *why = "its conditions are damaged";
    return !program.failed;
}
