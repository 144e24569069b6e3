/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a table, plain or packed, behind a table clause that the first byte chooses: each row is a rule, a message
 * or counted; what compiles opens, is sound and answers. */
#include "config.h"

#include "t/fuzz/files.h"
#include "t/fuzz/target.h"
#include "t/lib/ask_all.h"
#include "t/lib/rules.h"

static struct rules rules;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return !files_open();
}

/* Bits 0-1: the file. 2-3: its columns. 4-5: separator. 6: a site around it. 7: the rows are patterns. */
static const char *choose(uint8_t byte, char *text, size_t size)
{
    static const char *const names[] = { "t.csv", "t.tsv", "t.csv.gz", "t.csv" };
    static const char *const columns[] = { "", "columns from to;", "columns from to - status site; status moved;",
                                           "columns from to note owner until; heading;" };
    static const char *const separators[] = { "", "separator \";\";", "separator blank;", "separator tab;" };
    const char *name = names[byte & 3];

    snprintf(text, size, "%s\n timezone UTC\n table \"%s\" { %s %s %s }\n%s\n",
             byte & 64 ? "site shop.example h.example **.shop.example {" : "", name, columns[byte >> 2 & 3],
             separators[byte >> 4 & 3], byte & 128 ? "patterns;" : "", byte & 64 ? "}" : "");
    return name;
}

/* Each line is told of: the parts of the sum that the summary prints. */
static void check_count(struct slice table)
{
    uint64_t lines = 1;

    for (size_t i = 0; i < table.size; i++) lines += table.data[i] == '\n';
    fuzz_claim(rules.plan->rule_count <= rules.plan->table_rows, "no more rules than rows");
    fuzz_claim(rules.plan->table_rows + rules.plan->table_comments + rules.plan->table_blanks <= lines,
               "no more than there are lines");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { PARTS = 16 };
    char text[256];
    uint64_t at;

    if (size == 0) return 0;
    const char *name = choose(bytes[0], text, sizeof(text));
    files_write(name, bytes + 1, size - 1);
    bool is_good = rules_try(&rules, slice_from_string(text));
    fuzz_claim(is_good || diag_error_count(rules.diag) > 0, "what does not compile has a message");
    if (source_count(rules.sources) == 2) check_count(source_at(rules.sources, 1)->text);
    if (is_good) {
        const char *wrong = ruleset_verify(rules.ruleset, &at);

        fuzz_claim(!wrong, wrong ? wrong : "verify");
        wrong = ask_part(rules.ruleset, rules.regex, &rules.scratch, bytes[size - 1] % PARTS, PARTS);
        fuzz_claim(!wrong, wrong ? wrong : "answers");
    }
    rules_close(&rules);
    unlink(name);
    return 0;
}
