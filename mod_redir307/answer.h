/* SPDX-License-Identifier: Apache-2.0 */
/* The whole decision: request in, answer out. No allocation, lock or log, so any thread may ask. */
#ifndef MOD_REDIR307_ANSWER_H
#define MOD_REDIR307_ANSWER_H

#include "mod_redir307/probe.h"
#include "mod_redir307/request_key.h"
#include "mod_redir307/ruleset.h"
#include "mod_redir307/url.h"

enum {
    ANSWER_LOCATION_LIMIT = 8192, /* bytes of a Location; longer ones are answered by 414 */
    ANSWER_FIELD_LIMIT = 2048     /* bytes of the Cache-Control and Vary values each */
};

/* Memory for one decision: the caller's, one a thread, need not be cleared. An answer's slices lie in it or in the
 * map: copy what is kept before the ruleset may go. */
struct answer_scratch {
    char path[URL_NORMAL_LIMIT + 1];
    char folded[URL_NORMAL_LIMIT + 1];
    char query[URL_PATH_LIMIT];
    char location[ANSWER_LOCATION_LIMIT + 1];
    char fragment[ANSWER_LOCATION_LIMIT];
    char cache_control[128];
    char vary[ANSWER_FIELD_LIMIT];
};

enum answer_outcome {
    ANSWER_NONE, /* no rule: the server goes on as if there were none */
    ANSWER_PASS, /* a `pass` rule: likewise, and no wider rule is tried */
    ANSWER_SEND  /* answer with `status` */
};

struct answer {
    enum answer_outcome outcome;
    unsigned status;             /* 301 302 303 307 308 403 404 406 410 414 451 503 */
    struct slice location;       /* ASCII, safe as a field value; empty: none */
    struct slice cache_control;  /* empty: send no field */
    struct slice vary;           /* field names with ", " between; also on NONE and PASS; empty: none */
    uint32_t headers;            /* further fields of the answer: see answer_header; 0: none */
    uint32_t place;              /* of the rule (ruleset_place), for PASS and SEND */
    uint64_t identity;           /* likewise: the same beyond this rule file; 0 without ruleset_identify */
    bool is_too_long;            /* the Location passed its limit: status is 414 */
    bool has_fixed_cache_control; /* it is a string that ends in NUL and lives as long as this code, or NULL */
};

/* Called for each rule that was considered, best first. `why` is static text: "answers", "passes", or the reason
 * it lost. */
struct answer_trace {
    void (*candidate)(void *baton, uint32_t place, const char *why);
    void *baton;
};

/* `trace` may be NULL. *answer is always set. */
void answer_request(const struct ruleset *ruleset, const struct request_key *key, struct answer_scratch *scratch,
                    const struct answer_trace *trace, struct answer *answer);

/* The rest of answer_request, for who has asked probe_path by himself before he read all of the key, and got no "no". */
void answer_probed(const struct ruleset *ruleset, const struct request_key *key, struct probe probe,
                   struct answer_scratch *scratch, const struct answer_trace *trace, struct answer *answer);

/* Field number `index` of answer->headers (clauses header, retry-after, blocked-by); false past the last. The slices lie
 * in the map: what is sent must be looked at again after it was copied. */
bool answer_header(const struct ruleset *ruleset, uint32_t headers, unsigned index, struct slice *name,
                   struct slice *value);

#endif
