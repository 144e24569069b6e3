/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in request fields, and what is read as a time or a zone: whatever the bytes, it is read inside of them and
 * gives what the header promises. The first byte says what the rest is; a key stands behind the first NUL. */
#include "config.h"

#include "mod_redir307/field.h"
#include "rulec/local_time.h"
#include "rulec/request_facts.h"
#include "rulec/zone_read.h"
#include "t/fuzz/target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static void check_cookie(struct slice field, struct slice key)
{
    struct slice value;

    if (!field_cookie(field, key, &value)) return;
    fuzz_claim(value.size == 0 || (value.data >= field.data && value.data + value.size <= field.data + field.size),
               "a value of the field");
    fuzz_claim(value.size + key.size < field.size, "behind its name and =");
    fuzz_claim(slice_equal(slice_trim(key), key) && !(key.size && memchr(key.data, '=', key.size)), "a name that can be one");
}

static void check_list(enum field_list list, struct slice field, struct slice key)
{
    int quality = field_quality(list, field, key), wildcard = field_wildcard_quality(list, field);

    fuzz_claim(quality == FIELD_NOT_NAMED || (quality >= 0 && quality <= 1000), "a quality or none");
    fuzz_claim(wildcard >= 0 && wildcard <= 1000, "the wildcard's, too");
    fuzz_claim(field.size > 0 || (quality == FIELD_NOT_NAMED && wildcard == 1000), "no field names nothing and takes all");
}

static void check_time(struct slice text)
{
    struct local_time time;
    char shown[LOCAL_TIME_TEXT_SIZE];
    struct local_time again;

    if (!local_time_read(text, &time)) return;
    local_time_show(time.seconds, shown);
    fuzz_claim(local_time_read(slice_from_string(shown), &again) && again.seconds == time.seconds,
               "what is shown is read as the same");
}

static void check_zone(struct slice bytes, bool is_rule)
{
    struct arena *arena = arena_open();
    struct plan_zone zone = { .name = SLICE("Test/Zone") };
    const char *reason = NULL;
    bool is_good = is_rule ? zone_read_rule(bytes, &zone) : zone_read_bytes(arena, bytes, &zone, &reason);

    if (is_good) {
        for (uint32_t i = 1; i < zone.transition_count; i++) {
            fuzz_claim(zone.transitions[i - 1] < zone.transitions[i], "transitions rise");
        }
        for (int64_t time_s = -5000000000; time_s < 15000000000 && !is_rule; time_s += 999999937) {
            int32_t offset_s = local_time_offset(&zone, time_s);

            fuzz_claim(offset_s > -200000 && offset_s < 200000, "an offset of hours");
        }
    } else if (!is_rule) {
        fuzz_claim(reason != NULL, "what is refused has a reason");
    }
    arena_close(arena);
}

static void check_client(struct slice text)
{
    char string[64];
    struct request_client client;
    int64_t time_s;

    snprintf(string, sizeof(string), "%.*s", (int)(text.size < 60 ? text.size : 60), text.size ? text.data : "");
    if (request_client_read(string, &client)) fuzz_claim(client.family == 4 || client.family == 6, "a family");
    request_time_read(string, &time_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) return 0;

    struct slice rest = slice_of((const char *)bytes + 1, size - 1), field = rest, key = slice_of("", 0);
    const char *end = rest.size ? memchr(rest.data, 0, rest.size) : NULL;
    if (end) {
        field.size = (size_t)(end - rest.data);
        key = slice_of(end + 1, rest.size - field.size - 1);
    }
    switch (bytes[0]) {
    case 'c': check_cookie(field, key); break;
    case 'a': check_list(FIELD_MEDIA_TYPES, field, key); break;
    case 'l': check_list(FIELD_LANGUAGES, field, key); break;
    case 't': check_time(rest); break;
    case 'r': check_zone(rest, true); break;
    case 'z': check_zone(rest, false); break;
    default: check_client(rest); break;
    }
    return 0;
}
