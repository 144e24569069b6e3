/* SPDX-License-Identifier: Apache-2.0 */
/* A rules source, whatever its bytes: it is refused with a message, or gives a rule file that opens, that verify finds
 * nothing in, whose answers are sound, and that is the same when it is made again. */
#include "config.h"

#include "t/fuzz/target.h"
#include "t/lib/ask_all.h"
#include "t/lib/rules.h"

static struct rules rules, again;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* Words that read files: a fuzzer would find /dev/zero. */
static bool reads_files(struct slice text)
{
    static const char *const words[] = { "include", "table" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = strlen(words[i]);

        for (size_t at = 0; at + size <= text.size; at++) {
            if (memcmp(text.data + at, words[i], size) == 0) return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice text = slice_of((const char *)bytes, size);
    uint64_t at;

    if (reads_files(text)) return 0;
    bool is_good = rules_try(&rules, text);
    fuzz_claim(is_good == (rules.ruleset != NULL), "rules compile or they do not");
    fuzz_claim(is_good || diag_error_count(rules.diag) > 0, "what does not compile has a message");
    if (is_good) {
        const char *wrong = ruleset_verify(rules.ruleset, &at);

        fuzz_claim(!wrong, wrong ? wrong : "verify");
        wrong = ask_all(rules.ruleset, rules.regex, &rules.scratch);
        fuzz_claim(!wrong, wrong ? wrong : "answers");
        fuzz_claim(rules_try(&again, text), "the same text compiles again");
        fuzz_claim(again.file.size == rules.file.size && memcmp(again.file.bytes, rules.file.bytes, again.file.size) == 0,
                   "the same text gives the same bytes");
        rules_close(&again);
    }
    rules_close(&rules);
    return 0;
}
