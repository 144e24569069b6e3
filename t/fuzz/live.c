/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping whose bytes change while it is asked: between the requests, and in the middle of each where a field, a flag
 * or the environment is looked up. Nothing is read outside, every answer is sound. */
#include "config.h"

#include "t/fuzz/patches.h"
#include "t/fuzz/target.h"
#include "t/lib/ask_all.h"
#include "t/lib/every_rule.h"
#include "t/lib/rules.h"

static struct rules rules;
static struct answer_scratch scratch;
static struct ruleset *ruleset; /* over `file` */
static uint8_t *file;
static struct {
    const uint8_t *bytes;
    size_t size;
} input;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (!rules_try(&rules, slice_from_string(every_rule))) return 1;
    file = malloc(rules.file.size);
    memcpy(file, rules.file.bytes, rules.file.size);
    return ruleset_open(file, rules.file.size, &ruleset) != RULESET_OK;
}

static bool change(void)
{
    return patches_apply(&input.bytes, &input.size, rules.file.bytes, file);
}

static bool changing_header(void *baton, struct slice name, struct slice *value)
{
    change();
    return ask_header(baton, name, value);
}

static bool changing_env(void *baton, struct slice name, struct slice *value)
{
    change();
    return ask_env(baton, name, value);
}

static bool changing_flag(void *baton, struct slice name)
{
    change();
    return ask_flag(baton, name);
}

/* One request whose conditions change the bytes under it. */
static void ask_meanwhile(const char *path)
{
    static const struct request_fields fields = { .header = changing_header, .env = changing_env, .flag = changing_flag };
    const struct request_key key = {
        .method = SLICE("POST"), .scheme = SLICE("http"), .scheme_was_forwarded = true, .host = SLICE("shop.example"),
        .port = 80, .path = slice_from_string(path), .has_query = true, .query = SLICE("k=1&id=7&lang=de"),
        .fields = &fields, .client = { .family = 4, .address = { 10, 0, 0, 1 } }, .time_s = 1795204800,
        .chance_is_fixed = true, .regex = rules.regex,
    };
    struct answer answer;

    answer_request(ruleset, &key, &scratch, NULL, &answer);
    /* Fields lie in the map, so only what was copied is judged here. */
    answer.headers = 0;
    const char *wrong = ask_answer_is_sound(ruleset, &answer);
    fuzz_claim(!wrong, wrong ? wrong : "answers");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const paths[] = { "/on", "/share", "/when/1", "/when/2", "/when/3", "/when/4", "/when/5",
                                         "/when/9", "/a", "/a/b", "/x/1" };
    enum { PARTS = 20 };
    unsigned part = size ? bytes[size - 1] % PARTS : 0;
    uint64_t at;

    memcpy(file, rules.file.bytes, rules.file.size);
    input.bytes = bytes;
    input.size = size;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) ask_meanwhile(paths[i]);
    do {
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) ask_meanwhile(paths[i]);
    } while (change());
    const char *wrong = ask_part(ruleset, rules.regex, &scratch, part, PARTS);
    fuzz_claim(!wrong, wrong ? wrong : "answers");
    ruleset_verify(ruleset, &at);
    return 0;
}
