/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a request beside its method and URL: fields, environment, flags, client, time, chance, load. For
 * `expect ... with {...}` and for the options of explain and answer. */
#ifndef RULEC_REQUEST_FACTS_H
#define RULEC_REQUEST_FACTS_H

#include "grammar/arena.h"
#include "mod_redir307/regex.h"
#include "mod_redir307/request_key.h"
#include "rulec/plan.h"

struct request_facts {
    struct arena *arena;
    struct plan_header *fields;       /* one for each name: see request_facts_set_fields */
    size_t field_count;
    const struct plan_header *env;
    size_t env_count;
    const struct slice *flags;        /* those that are on */
    size_t flag_count;
    struct request_client client;
    int64_t time_s;
    bool has_chance;
    uint32_t chance;                  /* where it has one: millionths */
    unsigned busy;                    /* per cent */
    struct request_fields asked;      /* made by request_facts_bind */
};

/* No field, no flag, the time of the clock, client 192.0.2.1 (RFC 5737: an address that nobody has). */
void request_facts_init(struct request_facts *facts, struct arena *arena);
/* The draw of every `chance`, as a percentage from 0 to 100. */
void request_facts_set_chance(struct request_facts *facts, double percent);
/* The fields as they are sent. Several lines of one name are one value, with ", " between (RFC 9110, 5.3). */
void request_facts_set_fields(struct request_facts *facts, const struct plan_header *sent, size_t count);
/* Hands them to the engine. Both live as long as the key; the scratch may be NULL. */
void request_facts_bind(struct request_facts *facts, struct regex_scratch *scratch, struct request_key *key);

/* "192.0.2.1", "2001:db8::1". */
bool request_client_read(const char *text, struct request_client *client);
/* "2026-12-01T00:00Z", "2026-12-01T00:00:00+01:00", "2026-12-01" (the start of the day, UTC). */
bool request_time_read(const char *text, int64_t *time_s);

#endif
