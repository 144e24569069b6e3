/* SPDX-License-Identifier: Apache-2.0 */
/* A rule file with right checksums and wrong content: refused, or walked and asked without reading outside, with sound
 * answers. The input is a whole file (it starts with the magic) or changes to a good one. */
#include "config.h"

#include "t/fuzz/patches.h"
#include "t/fuzz/target.h"
#include "t/lib/ask_all.h"
#include "t/lib/every_rule.h"
#include "t/lib/rules.h"

static struct rules rules;
static struct answer_scratch scratch;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return !rules_try(&rules, slice_from_string(every_rule));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { PARTS = 20 }; /* all requests would take most of the time */
    unsigned part = size ? bytes[size - 1] % PARTS : 0;
    bool is_whole = size >= RULESET_MAGIC_SIZE && memcmp(bytes, RULESET_MAGIC, 5) == 0;
    size_t file_size = is_whole ? size : rules.file.size;
    uint8_t *file = malloc(file_size);
    struct ruleset *ruleset;
    uint64_t at;

    memcpy(file, is_whole ? bytes : rules.file.bytes, file_size);
    while (!is_whole && patches_apply(&bytes, &size, rules.file.bytes, file)) {
    }
    rule_file_sign(file, file_size);
    if (ruleset_open(file, file_size, &ruleset) == RULESET_OK) {
        ruleset_verify(ruleset, &at);
        const char *wrong = ask_part(ruleset, rules.regex, &scratch, part, PARTS);
        fuzz_claim(!wrong, wrong ? wrong : "answers");
        ruleset_close(ruleset);
    }
    free(file);
    return 0;
}
