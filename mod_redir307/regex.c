/* SPDX-License-Identifier: Apache-2.0 */
/* PCRE2 behind two calls. A match has a limit of work, so a hostile path costs a bounded time and then simply does not
 * match. */
#include "mod_redir307/regex.h"

#include "mod_redir307/ruleset_read.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint64_t limit_hits;
};

struct regex_table {
    uint64_t count;
    pcre2_code *codes[];
};

struct regex_scratch *regex_scratch_open(void)
{
    struct regex_scratch *scratch = calloc(1, sizeof *scratch);

    if (!scratch) return NULL;
    scratch->data = pcre2_match_data_create(REGEX_GROUP_LIMIT, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    if (!scratch->data || !scratch->context) {
        regex_scratch_close(scratch);
        return NULL;
    }
    pcre2_set_match_limit(scratch->context, REGEX_MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, REGEX_DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch->context, REGEX_HEAP_LIMIT);
    return scratch;
}

void regex_scratch_close(struct regex_scratch *scratch)
{
    if (!scratch) return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    free(scratch);
}

uint64_t regex_scratch_limit_hits(const struct regex_scratch *scratch)
{
    return scratch->limit_hits;
}

static pcre2_code *compile(struct slice text, unsigned flags)
{
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
    PCRE2_SIZE error_at;
    int error;

    if (flags & RULESET_REGEX_CASELESS) options |= PCRE2_CASELESS;
    if (flags & RULESET_REGEX_WHOLE) options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.data, text.size, options, &error, &error_at, NULL);
    if (code) pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without JIT the interpreter matches */
    return code;
}

struct regex_table *regex_table_open(const uint8_t *bytes, uint64_t size, uint64_t count)
{
    struct ruleset_cursor cursor = { .at = bytes, .end = bytes + size };

    if (count > RULESET_REGEX_LIMIT) return NULL;
    struct regex_table *table = calloc(1, sizeof *table + count * sizeof(pcre2_code *));
    if (!table) return NULL;
    for (; table->count < count; table->count++) {
        unsigned flags = cursor_u8(&cursor);
        struct slice text = cursor_slice(&cursor);

        table->codes[table->count] = cursor.failed ? NULL : compile(text, flags);
        if (!table->codes[table->count]) {
            regex_table_close(table);
            return NULL;
        }
    }
    return table;
}

void regex_table_close(struct regex_table *table)
{
    if (!table) return;
    for (uint64_t i = 0; i < table->count; i++) pcre2_code_free(table->codes[i]);
    free(table);
}

bool regex_match(const struct regex_table *table, uint32_t index, struct slice subject, struct regex_scratch *scratch,
                 struct slice *groups)
{
    if (!table || !scratch || index >= table->count) return false;

    int found = pcre2_match(table->codes[index], (PCRE2_SPTR)subject.data, subject.size, 0, 0, scratch->data,
                            scratch->context);
    if (found < 0) {
        if (found != PCRE2_ERROR_NOMATCH) scratch->limit_hits++;
        return false;
    }
    if (!groups) return true;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch->data);
    for (int i = 0; i < REGEX_GROUP_LIMIT; i++) {
        bool is_set = i < (found ? found : REGEX_GROUP_LIMIT) && ends[2 * i] != PCRE2_UNSET
                   && ends[2 * i] <= ends[2 * i + 1];

        groups[i] = is_set ? slice_of(subject.data + ends[2 * i], ends[2 * i + 1] - ends[2 * i])
                           : slice_of(subject.data, 0);
    }
    return true;
}
