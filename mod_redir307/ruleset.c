/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a rule file: header, digests and condition programs are proved sound once, through reads; afterwards only
 * private copies of sizes and counts are used. The walk over every record is ruleset_verify's. */
#include "mod_redir307/ruleset.h"

#include "mod_redir307/condition_program.h"
#include "mod_redir307/identity.h"
#include "mod_redir307/ruleset_input.h"
#include "mod_redir307/ruleset_read.h"

#include <stdlib.h>

enum { READ_CHUNK = 256 * 1024, PLACE_CHUNK = 1024, FETCH_DISTANCE = 8192 };

const char *ruleset_strerror(enum ruleset_status status)
{
    switch (status) {
    case RULESET_OK: return "no error";
    case RULESET_EMPTY: return "the file is empty; put it there again, by a rename";
    case RULESET_TRUNCATED: return "the file is cut off: it is shorter than its header says; put it there again, by a rename";
    case RULESET_OVERLONG: return "the file is longer than its header says";
    case RULESET_FOREIGN: return "this is no rule file; \"rulec compile\" makes one";
    case RULESET_TEXT_DAMAGE: return "the rule file was damaged by a text-mode copy (line ends were changed); copy it in binary mode";
    case RULESET_NEWER: return "the rule file was made by a newer rulec; update the module first, or compile with this version's rulec";
    case RULESET_OLDER: return "the rule file's format is too old; compile the rules again";
    case RULESET_DAMAGED: return "the rule file is damaged: a checksum does not hold; copy it again, or compile the rules again";
    case RULESET_MALFORMED: return "the rule file is malformed: its tables contradict each other";
    case RULESET_NO_MEMORY: return "out of memory";
    }
    return "unknown error";
}

uint64_t ruleset_item_size(enum ruleset_section_type type)
{
    switch (type) {
    case RULESET_HOST_INDEX:
    case RULESET_EXACT_INDEX:
    case RULESET_PATTERN_INDEX: return sizeof(struct ruleset_line);
    case RULESET_SCOPES: return sizeof(struct ruleset_scope);
    case RULESET_SHAPES: return sizeof(struct ruleset_shape);
    case RULESET_SHAPE_PARAMETERS: return sizeof(struct ruleset_shape_parameter);
    case RULESET_ANCESTORS: return sizeof(uint64_t);
    case RULESET_ACTIONS: return sizeof(struct ruleset_action);
    case RULESET_SOURCES: return sizeof(struct ruleset_source);
    case RULESET_NOTES: return sizeof(struct ruleset_note);
    default: return 0;
    }
}

static enum ruleset_status check_magic(const uint8_t *magic)
{
    static const uint8_t right[] = RULESET_MAGIC;

    if (memcmp(magic, right, RULESET_MAGIC_SIZE) == 0) return RULESET_OK;
    /* "\x89R307" is right, the line end behind it is not. */
    return memcmp(magic, right, 5) == 0 ? RULESET_TEXT_DAMAGE : RULESET_FOREIGN;
}

static enum ruleset_status check_sections(const struct ruleset_header *header)
{
    uint64_t at = RULESET_PAGE;

    if (header->section_count != RULESET_SECTION_COUNT) return RULESET_MALFORMED;
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        const struct ruleset_section *section = &header->sections[i];
        uint64_t one = ruleset_item_size((enum ruleset_section_type)i);

        if (section->type != i || section->flags != 0 || section->at != at) return RULESET_MALFORMED;
        if (section->size > header->file_size - at) return RULESET_MALFORMED;
        if (one && (section->size % one || section->count != section->size / one)) return RULESET_MALFORMED;
        at += (section->size + RULESET_PAGE - 1) / RULESET_PAGE * RULESET_PAGE;
        if (at > header->file_size) return RULESET_MALFORMED;
    }
    return at == header->file_size ? RULESET_OK : RULESET_MALFORMED;
}

static enum ruleset_status check_header(const struct ruleset_input *input, struct ruleset_header *header)
{
    uint8_t page[RULESET_PAGE], digest[RULESET_DIGEST_SIZE];

    if (input->size == 0) return RULESET_EMPTY;
    if (input->size < RULESET_MAGIC_SIZE || !input->read(input->baton, 0, page, RULESET_MAGIC_SIZE)) {
        return RULESET_FOREIGN;
    }
    enum ruleset_status status = check_magic(page);
    if (status) return status;
    if (input->size < RULESET_PAGE || !input->read(input->baton, 0, page, sizeof page)) return RULESET_TRUNCATED;

    memcpy(header, page, sizeof *header);
    if (header->major > RULESET_FORMAT_MAJOR || header->feat_incompat) return RULESET_NEWER;
    if (header->major < RULESET_FORMAT_MAJOR) return RULESET_OLDER;
    memset(page + offsetof(struct ruleset_header, id), 0, sizeof header->id);
    hash_put_digest(XXH3_128bits(page, sizeof page), digest);
    if (memcmp(digest, header->id, sizeof digest) != 0) return RULESET_DAMAGED;
    if (header->file_size > input->size) return RULESET_TRUNCATED;
    if (header->file_size < input->size) return RULESET_OVERLONG;
    if (header->hash_id != RULESET_HASH_XXH3_64) return RULESET_NEWER;
    return check_sections(header);
}

/* Asks memory for bytes before their turn: hashed in place, they would be waited for otherwise. */
static void fetch_ahead(const uint8_t *bytes)
{
    for (size_t i = 0; i < PLACE_CHUNK; i += 64) __builtin_prefetch(bytes + FETCH_DISTANCE + i);
}

/* In place where that is allowed, for a copy takes longer than the hash. NULL: they are gone. */
static const uint8_t *get_bytes(const struct ruleset_input *input, uint64_t at, size_t size, uint8_t *chunk)
{
    if (input->bytes) {
        fetch_ahead(input->bytes + at);
        return input->bytes + at;
    }
    return input->read(input->baton, at, chunk, size) ? chunk : NULL;
}

static enum ruleset_status check_digest(const struct ruleset_input *input, const struct ruleset_section *section,
                                        XXH3_state_t *state, uint8_t *chunk)
{
    size_t limit = input->bytes ? PLACE_CHUNK : READ_CHUNK;
    uint8_t digest[RULESET_DIGEST_SIZE];

    XXH3_128bits_reset(state);
    for (uint64_t done = 0; done < section->size;) {
        uint64_t left = section->size - done;
        size_t size = left < limit ? (size_t)left : limit;
        const uint8_t *bytes = get_bytes(input, section->at + done, size, chunk);

        if (!bytes) return RULESET_TRUNCATED;
        XXH3_128bits_update(state, bytes, size);
        done += size;
    }
    hash_put_digest(XXH3_128bits_digest(state), digest);
    return memcmp(digest, section->digest, sizeof digest) == 0 ? RULESET_OK : RULESET_DAMAGED;
}

static enum ruleset_status check_digests(const struct ruleset_input *input, const struct ruleset_header *header)
{
    XXH3_state_t *state = XXH3_createState();
    uint8_t *chunk = malloc(input->bytes ? 1 : READ_CHUNK);
    enum ruleset_status status = state && chunk ? RULESET_OK : RULESET_NO_MEMORY;

    for (unsigned i = 0; !status && i < RULESET_SECTION_COUNT; i++) {
        status = check_digest(input, &header->sections[i], state, chunk);
    }
    free(chunk);
    XXH3_freeState(state);
    return status;
}

/* A whole section, read into memory of its own; NULL without memory or where the bytes are gone. */
static uint8_t *read_section(const struct ruleset_input *input, const struct ruleset_section *section,
                             enum ruleset_status *status)
{
    uint8_t *bytes = malloc(section->size + 1);

    *status = RULESET_NO_MEMORY;
    if (!bytes) return NULL;
    *status = RULESET_OK;
    if (section->size && !input->read(input->baton, section->at, bytes, section->size)) {
        *status = RULESET_TRUNCATED;
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* An unknown operation must refuse the file: it could only be taken for "holds" or "does not". */
static enum ruleset_status check_conditions(const struct ruleset_input *input, const struct ruleset_section *section)
{
    enum ruleset_status status;
    uint8_t *bytes = read_section(input, section, &status);

    if (bytes && !condition_section_is_sound(bytes, section->size)) status = RULESET_MALFORMED;
    free(bytes);
    return status;
}

static enum ruleset_status open_regexes(const struct ruleset_input *input, const struct ruleset_section *section,
                                        struct regex_table **table)
{
    enum ruleset_status status;
    uint8_t *bytes = read_section(input, section, &status);

    if (bytes) {
        *table = regex_table_open(bytes, section->size, section->count);
        if (!*table) status = RULESET_MALFORMED;
    }
    free(bytes);
    return status;
}

static enum ruleset_status check_content(const struct ruleset_input *input, const struct ruleset_header *header)
{
    enum ruleset_status status = input->has_right_digests ? RULESET_OK : check_digests(input, header);

    return status ? status : check_conditions(input, &header->sections[RULESET_CONDITIONS]);
}

enum ruleset_status ruleset_check_header(const struct ruleset_input *input)
{
    struct ruleset_header header;

    return check_header(input, &header);
}

static void prepare_probe(struct ruleset *rs, const struct ruleset_input *input)
{
    const struct ruleset_section *scopes = &rs->header.sections[RULESET_SCOPES];
    struct ruleset_scope scope;

    rs->probe.scope = 0;
    rs->probe.has_shapes = rs->probe.has_queries = false;
    if (rs->header.flags & RULESET_HAS_SCOPES || rs->header.any_scope >= scopes->count
        || !input->read(input->baton, scopes->at + (uint64_t)rs->header.any_scope * sizeof scope, &scope, sizeof scope)
        || scope.flags & RULESET_SCOPE_HAS_CASE_IGNORE) {
        return;
    }
    rs->probe.scope = rs->header.any_scope;
    rs->probe.seed = hash_scope(rs->header.seed, rs->probe.scope);
    rs->probe.has_shapes = scope.shape_count > scope.whole_shape_count;
    rs->probe.has_queries = scope.whole_shape_count > 0;
}

enum ruleset_status ruleset_open_input(const struct ruleset_input *input, const void *bytes, struct ruleset **opened)
{
    struct ruleset *rs = malloc(sizeof *rs);

    if (!rs) return RULESET_NO_MEMORY;
    enum ruleset_status status = check_header(input, &rs->header);
    if (!status) status = check_content(input, &rs->header);
    if (!status) status = open_regexes(input, &rs->header.sections[RULESET_REGEXES], &rs->regexes);
    if (status) {
        free(rs);
        return status;
    }
    prepare_probe(rs, input);
    rs->identities = NULL;
    rs->bytes = bytes;
    rs->size = rs->header.file_size;
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        const struct ruleset_section *section = &rs->header.sections[i];

        rs->views[i] = (struct ruleset_view){ .bytes = rs->bytes + section->at, .size = section->size,
                                              .count = section->count };
    }
    *opened = rs;
    return RULESET_OK;
}

struct memory {
    const uint8_t *bytes;
    size_t size;
};

static bool memory_read(void *baton, uint64_t at, void *buffer, size_t size)
{
    const struct memory *memory = baton;

    if (at > memory->size || size > memory->size - at) return false;
    memcpy(buffer, memory->bytes + at, size);
    return true;
}

static enum ruleset_status open_bytes(const void *bytes, size_t size, bool has_right_digests, struct ruleset **opened)
{
    struct memory memory = { .bytes = bytes, .size = size };
    const struct ruleset_input input = { .read = memory_read, .baton = &memory, .size = size, .bytes = bytes,
                                         .has_right_digests = has_right_digests };

    return ruleset_open_input(&input, bytes, opened);
}

enum ruleset_status ruleset_open(const void *bytes, size_t size, struct ruleset **opened)
{
    return open_bytes(bytes, size, false, opened);
}

enum ruleset_status ruleset_open_again(const void *bytes, size_t size, struct ruleset **opened)
{
    return open_bytes(bytes, size, true, opened);
}

void ruleset_close(struct ruleset *ruleset)
{
    if (ruleset) {
        regex_table_close(ruleset->regexes);
        identity_table_close(ruleset->identities);
    }
    free(ruleset);
}

void ruleset_id(const struct ruleset *ruleset, char id[RULESET_ID_SIZE + 1])
{
    static const char hex[] = "0123456789abcdef";

    for (unsigned i = 0; i < RULESET_DIGEST_SIZE; i++) {
        id[2 * i] = hex[ruleset->header.id[i] >> 4];
        id[2 * i + 1] = hex[ruleset->header.id[i] & 15];
    }
    id[RULESET_ID_SIZE] = 0;
}

void ruleset_counts(const struct ruleset *ruleset, struct ruleset_counts *counts)
{
    const struct ruleset_header *header = &ruleset->header;
    const struct ruleset_view *views = ruleset->views;

    *counts = (struct ruleset_counts){
        .file_size = ruleset->size,
        .rules = header->rule_count,
        .exact_keys = header->exact_key_count,
        .pattern_keys = header->pattern_key_count,
        .scopes = views[RULESET_SCOPES].count ? views[RULESET_SCOPES].count - 1 : 0,
        .hosts = views[RULESET_HOSTS].count,
        .shapes = views[RULESET_SHAPES].count,
        .actions = views[RULESET_ACTIONS].count ? views[RULESET_ACTIONS].count - 1 : 0,
        .conditions = views[RULESET_CONDITIONS].count,
        .regexes = views[RULESET_REGEXES].count,
        .expects = header->expect_count,
        .sources = views[RULESET_SOURCES].count,
        .exact_index_size = views[RULESET_EXACT_INDEX].size,
        .exact_record_size = views[RULESET_EXACT].size,
        .pattern_index_size = views[RULESET_PATTERN_INDEX].size,
        .pattern_record_size = views[RULESET_PATTERNS].size,
        .target_size = views[RULESET_TARGETS].size,
        .format_major = header->major,
        .format_minor = header->minor,
        .worst_probes = header->worst_probes,
    };
}

bool ruleset_needs_encoded_slash(const struct ruleset *ruleset)
{
    return ruleset->header.flags & RULESET_HAS_ENCODED_SLASHES;
}

bool ruleset_reads_facts(const struct ruleset *ruleset)
{
    return ruleset->header.flags & RULESET_READS_FACTS;
}

bool ruleset_identify(struct ruleset *ruleset)
{
    if (!ruleset->identities) ruleset->identities = identity_table_open(ruleset);
    return ruleset->identities != NULL;
}

bool ruleset_next_rule(const struct ruleset *ruleset, struct ruleset_walk *walk, struct ruleset_rule *rule)
{
    const struct identity_table *identities = ruleset->identities;
    struct ruleset_exact_view exact;
    struct ruleset_pattern_view pattern;

    if (!walk->is_in_patterns && ruleset_get_exact(ruleset, walk->at, &exact)) {
        walk->at = exact.next_at;
        rule->place = exact.head.place;
        rule->identity = identities ? identity_of_exact(identities, &exact) : 0;
        return true;
    }
    if (!walk->is_in_patterns) *walk = (struct ruleset_walk){ .is_in_patterns = true };
    if (!ruleset_get_pattern(ruleset, walk->at, &pattern)) return false;
    walk->at = pattern.next_at;
    rule->place = pattern.head.place;
    rule->identity = identities ? identity_of_pattern(identities, &pattern) : 0;
    return true;
}
