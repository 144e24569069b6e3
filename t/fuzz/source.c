/* SPDX-License-Identifier: Apache-2.0 */
/* A rules source, whatever its bytes: it is refused with a message, or gives a rule file that opens, that verify finds
 * nothing in, whose answers are sound, and that is the same when it is made again. Where the input includes files or reads
 * tables, what stands behind each NUL is one of files.h's files. */
#include "config.h"

#include "t/fuzz/files.h"
#include "t/fuzz/target.h"
#include "t/lib/ask_all.h"
#include "t/lib/rules.h"

static struct rules rules, again;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return !files_open();
}

static bool has(struct slice text, const char *word)
{
    size_t size = strlen(word);

    for (size_t at = 0; at + size <= text.size; at++) {
        if (memcmp(text.data + at, word, size) == 0) return true;
    }
    return false;
}

static bool reads_files(struct slice text)
{
    return has(text, "include") || has(text, "table");
}

/* Names that lead out of the scratch folder: a fuzzer would find large files and folders there. */
static bool leads_out(struct slice text)
{
    static const char *const words[] = { "include", "table" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t size = strlen(words[i]);

        for (size_t at = 0; at + size <= text.size; at++) {
            if (memcmp(text.data + at, words[i], size) != 0) continue;
            size_t name = at + size;
            while (name < text.size && memchr(" \t\"", text.data[name], 3)) name++;
            if (name < text.size && text.data[name] == '/') return true;
        }
    }
    return has(text, "..") || has(text, "\\u");
}

/* Cuts the files off and writes them. False: the input is none to try. */
static bool write_files(struct slice *text)
{
    const char *at = text->data, *end = at + text->size;
    unsigned count = 0;

    if (leads_out(*text)) return false;
    files_forget();
    for (const char *stop; (stop = memchr(at, 0, (size_t)(end - at))) != NULL; at = stop + 1) {
        if (count == 0) text->size = (size_t)(stop - at);
        else if (count <= FILES_COUNT) files_write(files_names[count - 1], at, (size_t)(stop - at));
        count++;
    }
    if (count > 0 && count <= FILES_COUNT) files_write(files_names[count - 1], at, (size_t)(end - at));
    return true;
}

static unsigned sum(struct slice text)
{
    unsigned value = 0;

    for (size_t i = 0; i < text.size; i++) value += (unsigned char)text.data[i];
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { PARTS = 8 }; /* all requests would take most of the time */
    struct slice text = slice_of((const char *)bytes, size);
    uint64_t at;

    if (size > 0 && reads_files(text) && !write_files(&text)) return 0;
    bool is_good = rules_try(&rules, text);
    fuzz_claim(is_good == (rules.ruleset != NULL), "rules compile or they do not");
    fuzz_claim(is_good || diag_error_count(rules.diag) > 0, "what does not compile has a message");
    if (is_good) {
        const char *wrong = ruleset_verify(rules.ruleset, &at);

        fuzz_claim(!wrong, wrong ? wrong : "verify");
        wrong = ask_part(rules.ruleset, rules.regex, &rules.scratch, sum(text) % PARTS, PARTS);
        fuzz_claim(!wrong, wrong ? wrong : "answers");
        fuzz_claim(rules_try(&again, text), "the same text compiles again");
        fuzz_claim(again.file.size == rules.file.size && memcmp(again.file.bytes, rules.file.bytes, again.file.size) == 0,
                   "the same text gives the same bytes");
        rules_close(&again);
    }
    rules_close(&rules);
    return 0;
}
