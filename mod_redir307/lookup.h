/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to the rules whose source it meets, the most specific first: overrides, then hosts from the exact one
 * to `*`, and in each site exact paths with a query, exact paths, then all other shapes by rank. The work is bounded by
 * the shapes of the sites and the depth of the path, never by the number of rules. Private to the engine. */
#ifndef MOD_REDIR307_LOOKUP_H
#define MOD_REDIR307_LOOKUP_H

#include "mod_redir307/answer.h"
#include "mod_redir307/pattern.h"
#include "mod_redir307/ruleset_read.h"

enum {
    LOOKUP_FOUND_LIMIT = 32,      /* candidates that wait at a time; more are found by searching again */
    LOOKUP_PARAMETER_LIMIT = 128, /* parameters of a request that are looked at */
    LOOKUP_COMBINATION_LIMIT = 64 /* of repeated parameters, for each shape */
};

struct lookup_match {
    bool is_exact;
    uint64_t at;          /* of its record */
    uint32_t rank, order; /* patterns */
    unsigned cost;        /* PATTERN_SLASH_DIFFERS... */
};

/* The leading segments of a path, and under which of them rules live. */
struct lookup_walk {
    uint64_t hash[PATTERN_SEGMENT_LIMIT + 1];
    uint64_t here; /* bit d: some shape may have its lead in the first d segments */
    bool is_done;
};

struct lookup {
    const struct ruleset *ruleset;
    const struct request_key *key;
    struct probe probe;
    struct answer_scratch *scratch;
    struct slice path;       /* normal form */
    struct slice bare;       /* without its trailing slash; "/" is itself */
    bool has_slash;          /* the trailing slash was there; false for "/" */

    /* lower case of path and bare; only where some rule asks for it */
    bool folded_is_done, folded_differs;
    struct slice folded;

    /* segments, found when the first shape asks */
    bool segments_are_done;
    unsigned segment_count;
    uint16_t segment_end[PATTERN_SEGMENT_LIMIT + 1]; /* [d]: behind the first d segments */

    bool parameters_are_done;
    unsigned parameter_count;
    struct pattern_parameter parameters[LOOKUP_PARAMETER_LIMIT];

    /* where the search stands */
    bool in_overrides;
    unsigned port_round;     /* 0: with the request's port, 1: every port */
    unsigned host_level;
    size_t host_at;          /* in key->host: where the next `*.` name begins */
    uint32_t scope;
    uint64_t host_record;    /* of the current scope; UINT64_MAX: none (the header's any_scope) */
    unsigned phase;
    struct ruleset_scope scope_head;
    struct lookup_walk walk, folded_walk;

    /* shapes of the phase that were not probed yet, in a scope's order: best first */
    unsigned shape_next, shape_end;
    struct ruleset_shape shape; /* the next one, where there is one */

    struct ruleset_exact_view exact; /* the one at exact_at, the last that was read */
    uint64_t exact_at;                /* UINT64_MAX: none */

    /* candidates that wait, best first: [found_next, found_count) */
    struct lookup_match found[LOOKUP_FOUND_LIMIT];
    unsigned found_next, found_count;
    bool has_dropped;            /* more than fit: what comes from `dropped` on waits for another search */
    struct lookup_match dropped;
    bool has_last;               /* the phase goes on behind `last` */
    struct lookup_match last;
};

/* `probe`: of the key's path. False: the path is not valid, no rule matches. The lookup's big arrays are not cleared. */
bool lookup_begin(struct lookup *lookup, const struct ruleset *ruleset, const struct request_key *key,
                  struct probe probe, struct answer_scratch *scratch);
/* The next best match; false where there is none left. */
bool lookup_next(struct lookup *lookup, struct lookup_match *match);

/* The record of an exact match; NULL where it is gone meanwhile. */
const struct ruleset_exact_view *lookup_exact_view(struct lookup *lookup, const struct lookup_match *match);

/* The request's parameters, decoded; read once. */
void lookup_read_parameters(struct lookup *lookup);
/* Runs a match again for its captures; false where the bytes changed meanwhile. */
bool lookup_captures(struct lookup *lookup, const struct ruleset_pattern_view *rule,
                     struct pattern_capture captures[PATTERN_CAPTURE_LIMIT]);
/* What the host of the current match captured; empty where there is no such capture. */
struct slice lookup_host_capture(const struct lookup *lookup, unsigned index);

#endif
