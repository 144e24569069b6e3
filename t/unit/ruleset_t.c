/* SPDX-License-Identifier: Apache-2.0 */
/* Rule files as hostile input: what is refused at open, and that whatever is not refused is answered from without
 * reading outside. The bytes lie before a page that nobody may touch. */
#include "config.h"

#include "t/lib/ask_all.h"
#include "t/lib/every_rule.h"
#include "t/lib/rule_file.h"
#include "t/lib/rules.h"

#include <stdlib.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static struct rules rules; /* the good file */
static struct answer_scratch scratch;
static uint8_t *bytes;     /* its copy, to be damaged; the page behind it cannot be read */
static size_t size;

static const uint8_t *good(void)
{
    return rules.file.bytes;
}

static void restore(void)
{
    memcpy(bytes, good(), size);
}

static bool make_room(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (rules.file.size + page - 1) / page * page;
    int zero = open("/dev/zero", O_RDWR);

    size = rules.file.size;
    uint8_t *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    close(zero);
    if (start == MAP_FAILED || mprotect(start + room, page, PROT_NONE) != 0) return false;
    bytes = start + room - size;
    restore();
    return true;
}

static enum ruleset_status try_open(size_t count)
{
    struct ruleset *ruleset = NULL;
    enum ruleset_status status = ruleset_open(bytes, count, &ruleset);

    if (status == RULESET_OK) ruleset_close(ruleset);
    return status;
}

/* Refused, or every answer is sound. NULL: so it is. */
static const char *survives(bool *is_refused, bool *is_named)
{
    struct ruleset *ruleset;
    uint64_t at;
    enum ruleset_status status = ruleset_open(bytes, size, &ruleset);

    *is_named = false;
    *is_refused = status != RULESET_OK;
    if (*is_refused) return NULL;
    *is_named = ruleset_verify(ruleset, &at) != NULL;
    const char *wrong = ask_all(ruleset, rules.regex, &scratch);
    ruleset_close(ruleset);
    return wrong;
}

/* ---- the good file ---- */

static void a_good_file_tells_of_itself(void)
{
    struct ruleset_counts counts;
    struct slice note, owner;
    char id[RULESET_ID_SIZE + 1], again[RULESET_ID_SIZE + 1];
    struct ruleset *copy;
    uint64_t at;

    is_number(try_open(size), RULESET_OK, "it opens");
    ok(ruleset_verify(rules.ruleset, &at) == NULL, "every record is right");
    ruleset_counts(rules.ruleset, &counts);
    is_number(counts.file_size, size, "its size");
    is_number(counts.rules, rules.plan->rule_count, "its rules");
    is_number(counts.sources, 1, "its sources");
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        char name[64];

        snprintf(name, sizeof(name), "section %u holds something", i);
        ok(rule_file_section(good(), i).size > 0, name);
    }
    ruleset_id(rules.ruleset, id);
    is_number(strlen(id), RULESET_ID_SIZE, "its id");
    if (ok(ruleset_open(bytes, size, &copy) == RULESET_OK, "a copy opens")) {
        ruleset_id(copy, again);
        is_string(again, id, "and has the same id");
        ruleset_close(copy);
    }
    if (ok(ruleset_open_again(bytes, size, &copy) == RULESET_OK, "and once more, its checksums unasked")) {
        ruleset_id(copy, again);
        is_string(again, id, "with the same id");
        ok(ask_all(copy, rules.regex, &scratch) == NULL, "and sound answers");
        ruleset_close(copy);
    }
    ok(ruleset_open_again(bytes, size - 1, &copy) == RULESET_TRUNCATED, "but not without its last byte");

    char got[256];
    struct answer answer = rules_answer(&rules, "http://other.example/a", NULL, got, sizeof(got));
    is_string(got, "308 /t1", "an answer");
    struct ruleset_place place = ruleset_place(rules.ruleset, answer.place);
    is_slice(place.source, "test.redir", "comes from a source");
    is_number(place.line, 1, "and a line");
    ruleset_note(rules.ruleset, answer.place, &note, &owner);
    is_slice(note, "a note", "with a note");
    is_slice(owner, "team", "and an owner");
    ruleset_note(rules.ruleset, answer.place + 1, &note, &owner);
    ok(note.size == 0 && owner.size == 0, "the next line has none");
    place = ruleset_place(rules.ruleset, 0);
    ok(place.source.size == 0 || place.line == 0, "no place");
    place = ruleset_place(rules.ruleset, UINT32_MAX);
    ok(place.source.size <= 10, "a place past all");
    ok(ask_all(rules.ruleset, rules.regex, &scratch) == NULL, "every answer is sound");
}

static void statuses_have_words(void)
{
    for (int status = RULESET_OK; status <= RULESET_NO_MEMORY; status++) {
        const char *text = ruleset_strerror((enum ruleset_status)status);

        ok(text && strcmp(text, "unknown error") != 0, text ? text : "none");
    }
}

/* ---- sizes ---- */

static void wrong_sizes_are_refused(void)
{
    static const size_t small[] = { 1, 2, 7, 8, 9, 111, 112, 975, 976, 4095, 4096, 4097 };
    struct ruleset *ruleset;

    is_number(ruleset_open(bytes, 0, &ruleset), RULESET_EMPTY, "no byte at all");
    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
        char name[64];

        snprintf(name, sizeof(name), "its first %zu bytes", small[i]);
        is_number(try_open(small[i]), small[i] < RULESET_MAGIC_SIZE ? RULESET_FOREIGN : RULESET_TRUNCATED, name);
    }
    unsigned wrong = 0;
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        struct ruleset_section section = rule_file_section(good(), i);
        const uint64_t at[] = { section.at - 1, section.at, section.at + 1, section.at + section.size - 1,
                                section.at + section.size };

        for (size_t k = 0; k < sizeof(at) / sizeof(at[0]); k++) wrong += try_open(at[k]) != RULESET_TRUNCATED;
    }
    for (size_t cut = RULESET_MAGIC_SIZE; cut < size; cut += 61) wrong += try_open(cut) != RULESET_TRUNCATED;
    is_number(wrong, 0, "cut off at and around every section");

    uint8_t *longer = calloc(1, size + RULESET_PAGE);
    memcpy(longer, good(), size);
    is_number(ruleset_open(longer, size + 1, &ruleset), RULESET_OVERLONG, "a byte too many");
    is_number(ruleset_open(longer, size + RULESET_PAGE, &ruleset), RULESET_OVERLONG, "a page too many");
    free(longer);
}

/* The header says another size and is signed for it. */
static void a_size_must_be_that_of_the_sections(void)
{
    uint64_t sizes[] = { 0, 1, RULESET_PAGE, size - RULESET_PAGE, size - 1, size + 1, UINT64_MAX };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        restore();
        memcpy(bytes + offsetof(struct ruleset_header, file_size), &sizes[i], 8);
        rule_file_sign_header(bytes);
        ok(try_open(size) != RULESET_OK, "another size in the header");
        if (sizes[i] <= size && sizes[i] >= RULESET_PAGE) ok(try_open(sizes[i]) != RULESET_OK, "and in fact");
    }
    restore();
}

/* ---- the header ---- */

static enum ruleset_status with_u16(size_t at, uint16_t value)
{
    restore();
    memcpy(bytes + at, &value, sizeof(value));
    rule_file_sign_header(bytes);
    return try_open(size);
}

static enum ruleset_status with_u32(size_t at, uint32_t value)
{
    restore();
    memcpy(bytes + at, &value, sizeof(value));
    rule_file_sign_header(bytes);
    return try_open(size);
}

static void versions_and_features_are_told_apart(void)
{
    is_number(with_u16(offsetof(struct ruleset_header, major), RULESET_FORMAT_MAJOR + 1), RULESET_NEWER, "a newer major");
    is_number(with_u16(offsetof(struct ruleset_header, major), UINT16_MAX), RULESET_NEWER, "the newest");
    is_number(with_u16(offsetof(struct ruleset_header, major), RULESET_FORMAT_MAJOR << 8), RULESET_NEWER,
              "a file of the other byte order");
    is_number(with_u16(offsetof(struct ruleset_header, major), 0), RULESET_OLDER, "an older one");
    is_number(with_u16(offsetof(struct ruleset_header, minor), RULESET_FORMAT_MINOR + 1), RULESET_OK,
              "a newer minor adds what may be ignored");
    is_number(with_u32(offsetof(struct ruleset_header, feat_incompat), 1), RULESET_NEWER, "a feature that is needed");
    is_number(with_u32(offsetof(struct ruleset_header, feat_incompat), 0x80000000), RULESET_NEWER, "any of them");
    is_number(with_u32(offsetof(struct ruleset_header, feat_compat), UINT32_MAX), RULESET_OK, "features that are not");
    is_number(with_u32(offsetof(struct ruleset_header, hash_id), 0), RULESET_NEWER, "no hash");
    is_number(with_u32(offsetof(struct ruleset_header, hash_id), 2), RULESET_NEWER, "another hash");
    is_number(with_u32(offsetof(struct ruleset_header, section_count), 17), RULESET_MALFORMED, "a section less");
    is_number(with_u32(offsetof(struct ruleset_header, section_count), 19), RULESET_MALFORMED, "a section more");

    /* Without its digest made right, the same header is damaged, whatever it says; the version comes first, so that a
     * newer format may sign otherwise. */
    restore();
    bytes[offsetof(struct ruleset_header, major)]++;
    is_number(try_open(size), RULESET_NEWER, "a newer header may be signed otherwise");
}

static void foreign_and_converted_files_are_named(void)
{
    restore();
    bytes[0] ^= 0x80;
    is_number(try_open(size), RULESET_FOREIGN, "seven bits");
    restore();
    memcpy(bytes, "\x89R307\n\x1a\0", 8);
    is_number(try_open(size), RULESET_TEXT_DAMAGE, "CR LF became LF");
    memcpy(bytes, "\x89R307\r\r\n", 8);
    is_number(try_open(size), RULESET_TEXT_DAMAGE, "LF became CR LF");
    memset(bytes, 0, 8);
    is_number(try_open(size), RULESET_FOREIGN, "zeros");
    memcpy(bytes, "\x7f" "ELF\2\1\1\0", 8);
    is_number(try_open(size), RULESET_FOREIGN, "a program");
    restore();
}

static void no_byte_of_the_header_changes_unseen(void)
{
    unsigned unseen = 0;

    for (size_t at = 0; at < RULESET_PAGE; at++) {
        restore();
        bytes[at] ^= (uint8_t)(1u << at % 8);
        unseen += try_open(size) == RULESET_OK;
    }
    is_number(unseen, 0, "each byte of its page, unused ones, too");
    restore();
}

static void no_byte_of_a_section_changes_unseen(void)
{
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        struct ruleset_section section = rule_file_section(good(), i);
        unsigned unseen = 0;
        char name[64];

        for (uint64_t at = 0; at < section.size; at++) {
            bytes[section.at + at] ^= (uint8_t)(1u << at % 8);
            unseen += try_open(size) != RULESET_DAMAGED;
            bytes[section.at + at] = good()[section.at + at];
        }
        snprintf(name, sizeof(name), "section %u", i);
        is_number(unseen, 0, name);
    }
}

/* Each field of the header and of each section's entry at its extremes, signed. */
static void hostile_headers_are_refused_or_harmless(void)
{
    static const uint64_t values[] = { 0, 1, 2, 63, 64, 4095, 4096, 4097, 0x7fffffff, 0x80000000, 0xffffffff,
                                       0xfffffffffffff000, UINT64_MAX - 1, UINT64_MAX };
    size_t end = offsetof(struct ruleset_header, sections) + RULESET_SECTION_COUNT * sizeof(struct ruleset_section);
    unsigned tried = 0, refused = 0, named = 0;

    for (size_t at = RULESET_MAGIC_SIZE; at < end; at += 4) {
        for (unsigned width = 4; width <= 8; width += 4) {
            for (size_t v = 0; v < sizeof(values) / sizeof(values[0]) + 2; v++) {
                bool is_refused, is_named;
                uint64_t value = 0;

                restore();
                if (at % width || at + width > end) continue;
                memcpy(&value, bytes + at, width);
                value = v == 0 ? value + 1 : v == 1 ? value - 1 : values[v - 2];
                memcpy(bytes + at, &value, width);
                rule_file_sign(bytes, size);
                const char *wrong = survives(&is_refused, &is_named);
                tried++;
                refused += is_refused;
                named += is_named;
                if (!wrong) continue;
                printf("# header byte %zu as %#llx: %s\n", at, (unsigned long long)value, wrong);
                ok(false, "a hostile header");
            }
        }
    }
    printf("# %u headers, %u refused, %u named by verify\n", tried, refused, named);
    ok(refused > tried / 2, "hostile headers are refused or harmless");
    restore();
}

static void sections_lie_one_behind_the_other(void)
{
    for (unsigned i = 1; i < RULESET_SECTION_COUNT; i++) {
        size_t entry = offsetof(struct ruleset_header, sections) + i * sizeof(struct ruleset_section);
        size_t before = entry - sizeof(struct ruleset_section);
        struct ruleset_section a, b;

        restore();
        memcpy(&a, bytes + before, sizeof(a));
        memcpy(&b, bytes + entry, sizeof(b));
        uint64_t at = a.at;
        a.at = b.at;
        b.at = at;
        memcpy(bytes + before, &a, sizeof(a));
        memcpy(bytes + entry, &b, sizeof(b));
        rule_file_sign(bytes, size);
        if (try_open(size) != RULESET_MALFORMED) ok(false, "two sections have changed places");
        restore();
        b.at = at; /* one over the other */
        memcpy(bytes + entry, &b, sizeof(b));
        rule_file_sign(bytes, size);
        if (try_open(size) != RULESET_MALFORMED) ok(false, "two sections overlap");
    }
    ok(true, "every pair of sections was tried");
    restore();
}

/* ---- the sections, signed ---- */

/* Small sections are changed at every byte, of long ones each seventh in turn: that meets every byte of a record. The
 * fuzz target over rule files goes on from there. */
static uint64_t step_of(struct ruleset_section section)
{
    return section.size > 200 ? 7 : 1;
}

static void hostile_sections_are_refused_or_harmless(void)
{
    static const uint8_t values[] = { 0x00, 0xff };

    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        struct ruleset_section section = rule_file_section(good(), i);
        unsigned tried = 0, refused = 0, named = 0, bad = 0;
        char name[64];

        for (uint64_t at = 0; at < section.size; at += step_of(section)) {
            for (size_t v = 0; v < sizeof(values) + 2; v++) {
                uint8_t *byte = bytes + section.at + at, old = *byte;
                bool is_refused, is_named;

                *byte = v < sizeof(values) ? values[v] : v == sizeof(values) ? (uint8_t)(old + 1) : (uint8_t)(old - 1);
                if (*byte == old) continue;
                rule_file_sign(bytes, size);
                const char *wrong = survives(&is_refused, &is_named);
                tried++;
                refused += is_refused;
                named += is_named;
                if (wrong && bad++ < 3) printf("# section %u, byte %llu as %#x: %s\n", i, (unsigned long long)at, *byte, wrong);
                *byte = old;
            }
        }
        restore();
        printf("# section %u: %u changes, %u refused, %u named by verify\n", i, tried, refused, named);
        snprintf(name, sizeof(name), "section %u changed byte by byte", i);
        is_number(bad, 0, name);
    }
}

static void wide_fields_are_clamped(void)
{
    static const uint64_t values[] = { 0, UINT64_MAX, 0x8000000080000000 };

    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        struct ruleset_section section = rule_file_section(good(), i);
        unsigned bad = 0;
        char name[64];

        for (uint64_t at = 0; at + 8 <= section.size; at += 4 * step_of(section)) {
            for (size_t v = 0; v < 2 * sizeof(values) / sizeof(values[0]); v++) {
                uint8_t *field = bytes + section.at + at;
                bool is_refused, is_named;

                memcpy(field, &values[v / 2], v % 2 ? 8 : 4);
                rule_file_sign(bytes, size);
                const char *wrong = survives(&is_refused, &is_named);
                if (wrong && bad++ < 3) printf("# section %u, bytes from %llu: %s\n", i, (unsigned long long)at, wrong);
                memcpy(field, good() + section.at + at, 8);
            }
        }
        restore();
        snprintf(name, sizeof(name), "section %u changed field by field", i);
        is_number(bad, 0, name);
    }
}

/* What only the walk over every record can see. */
static void verify_names_what_no_writer_writes(void)
{
    static const struct damage {
        unsigned section;
        uint64_t at;
        uint8_t value;
        const char *name;
    } damages[] = {
        { RULESET_EXACT, sizeof(struct ruleset_exact) + 1, 'Z', "a key that is not where its hash leads" },
        { RULESET_EXACT, sizeof(struct ruleset_exact), 'x', "a key that is no path" },
        { RULESET_EXACT, 2, 0xff, "an action that is not there" },
        { RULESET_ACTIONS, sizeof(struct ruleset_action) + 4, 200, "an unknown status" },
        { RULESET_ACTIONS, sizeof(struct ruleset_action) + 3, 1, "a scope that is not there" },
        { RULESET_SCOPES, sizeof(struct ruleset_scope) + 3, 1, "shapes that are not there" },
        { RULESET_SHAPES, 4, 99, "an unknown kind of shape" },
        { RULESET_HOSTS, 14, 99, "an unknown kind of host" },
        { RULESET_HOSTS, sizeof(struct ruleset_host), '!', "a host that is not where its hash leads" },
        { RULESET_SOURCES, 0, 0, "a source without a name" },
        { RULESET_NOTES, 7, 0xff, "a note that is not there" },
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct ruleset_section section = rule_file_section(good(), damages[i].section);
        bool is_refused, is_named;

        bytes[section.at + damages[i].at] = damages[i].value;
        rule_file_sign(bytes, size);
        const char *wrong = survives(&is_refused, &is_named);
        ok(!wrong && (is_refused || is_named), damages[i].name);
        restore();
    }
}

static void unknown_conditions_refuse_the_file(void)
{
    struct ruleset_section section = rule_file_section(good(), RULESET_CONDITIONS);

    for (unsigned op = RULESET_CONDITION_OP_COUNT; op < 256; op++) {
        bytes[section.at + 4 + 2] = (uint8_t)op; /* the first condition of the first program */
        rule_file_sign(bytes, size);
        if (try_open(size) != RULESET_MALFORMED) ok(false, "an unknown operation");
    }
    bytes[section.at + 4 + 2] = RULESET_CONDITION_NONE;
    rule_file_sign(bytes, size);
    is_number(try_open(size), RULESET_MALFORMED, "no operation at all, as every unknown one");
    restore();
}

/* ---- bytes that change after they were verified ---- */

static void fill(unsigned section, unsigned how, uint64_t seed)
{
    struct ruleset_section entry = rule_file_section(good(), section);

    for (uint64_t i = 0; i < entry.size; i++) {
        seed = hash_mix(seed + HASH_MULTIPLIER);
        uint8_t *byte = bytes + entry.at + i;

        *byte = how == 0 ? 0 : how == 1 ? 0xff : how == 2 ? (uint8_t)seed : seed % 16 ? *byte : (uint8_t)(seed >> 8);
    }
}

static void changes_after_open_are_harmless(void)
{
    struct ruleset *ruleset;
    uint64_t at;
    unsigned bad = 0;

    restore();
    if (!ok(ruleset_open(bytes, size, &ruleset) == RULESET_OK, "a good file is opened")) return;
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        for (unsigned how = 0; how < 40; how++) {
            fill(i, how < 2 ? how : how % 2 + 2, how);
            const char *wrong = ask_all(ruleset, rules.regex, &scratch);
            ruleset_verify(ruleset, &at);
            if (wrong && bad++ < 3) printf("# section %u, way %u: %s\n", i, how, wrong);
            restore();
        }
    }
    is_number(bad, 0, "any one section");
    for (unsigned how = 0; how < 200; how++) {
        for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) fill(i, 3, how * 100 + i);
        const char *wrong = ask_all(ruleset, rules.regex, &scratch);
        ruleset_verify(ruleset, &at);
        if (wrong && bad++ < 3) printf("# all, seed %u: %s\n", how, wrong);
        restore();
    }
    is_number(bad, 0, "all of them");

    /* What SIGBUS containment leaves of a file that was cut off: pages of zeros. */
    for (uint64_t cut = 0; cut < size; cut += RULESET_PAGE) {
        memset(bytes + cut, 0, size - cut);
        const char *wrong = ask_all(ruleset, rules.regex, &scratch);
        if (wrong && bad++ < 3) printf("# zeros from %llu: %s\n", (unsigned long long)cut, wrong);
        restore();
    }
    is_number(bad, 0, "zeros from any page on");
    memset(bytes, 0, size);
    struct request_key key = { .method = SLICE("GET"), .scheme = SLICE("http"), .port = 80, .path = SLICE("/a") };
    struct answer answer;
    answer_request(ruleset, &key, &scratch, NULL, &answer);
    is_number(answer.outcome, ANSWER_NONE, "zeros are no rule");
    restore();
    answer_request(ruleset, &key, &scratch, NULL, &answer);
    is_number(answer.outcome, ANSWER_SEND, "and when the bytes are back, so is the rule");
    ruleset_close(ruleset);
}

int main(void)
{
    if (!rules_open(&rules, every_rule) || !ok(make_room(), "memory with a closed page behind it")) return tap_done();
    a_good_file_tells_of_itself();
    statuses_have_words();
    wrong_sizes_are_refused();
    a_size_must_be_that_of_the_sections();
    versions_and_features_are_told_apart();
    foreign_and_converted_files_are_named();
    no_byte_of_the_header_changes_unseen();
    no_byte_of_a_section_changes_unseen();
    hostile_headers_are_refused_or_harmless();
    sections_lie_one_behind_the_other();
    verify_names_what_no_writer_writes();
    unknown_conditions_refuse_the_file();
    changes_after_open_are_harmless();
    hostile_sections_are_refused_or_harmless();
    wide_fields_are_clamped();
    rules_close(&rules);
    return tap_done();
}
