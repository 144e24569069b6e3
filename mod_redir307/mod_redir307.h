/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the module that know httpd share with each other: its settings, the rule
 * files that are served, the request as the engine wants it, the guard over mappings. */
#ifndef MOD_REDIR307_MOD_REDIR307_H
#define MOD_REDIR307_MOD_REDIR307_H

#include "mod_redir307/answer.h"
#include "mod_redir307/request_key.h"
#include "mod_redir307/ruleset.h"
#include "mod_redir307/url.h"

#include "httpd.h"
#include "http_config.h"

extern module AP_MODULE_DECLARE_DATA redir307_module;

/* ---- settings (mod_redir307_config.c) ---- */

enum toggle { TOGGLE_UNSET, TOGGLE_OFF, TOGGLE_ON };
enum on_bad_file { ON_BAD_FILE_UNSET, ON_BAD_FILE_REFUSE, ON_BAD_FILE_PASS };
enum expose { EXPOSE_UNSET, EXPOSE_OFF, EXPOSE_ID, EXPOSE_RULE };

/* Times between two looks at a rule file that are no times. */
enum { WATCH_UNSET = -2, WATCH_OFF = -1, WATCH_EACH_REQUEST = 0 };

/* Sizes of a request's body that are no sizes. */
enum { EARLY_CLOSE_UNSET = -2, EARLY_CLOSE_OFF = -1 };

/* Numbers of counters that are none. */
enum { COUNTERS_OFF = 0, COUNTERS_DEFAULT = 65536, COUNTERS_LIMIT = 16777216 };

struct rules_file;
struct flags;
struct flag_names;

/* Of a server or virtual host. After the merge nothing is unset but `rules` and `trusted`. */
struct server_settings {
    const char *rules;      /* absolute path; "": `none` was written; NULL: unset */
    const char *written_at; /* "httpd.conf:12", where `rules` comes from */
    enum on_bad_file on_bad_file;
    apr_interval_time_t watch;
    apr_array_header_t *trusted; /* apr_ipsubnet_t * each; NULL: unset */
    enum toggle note;
    enum toggle copy;
    apr_off_t early_close; /* a longer body is not waited for; or one of EARLY_CLOSE_* */
    enum expose expose;
    const char *flags_path; /* as `rules` */
    unsigned counters;      /* of the main server only; or COUNTERS_OFF */
    /* From post_config on. */
    struct rules_file *file; /* the one at `rules`; NULL: no rules here */
    bool looks_each_request; /* whether there is another one now */
    struct flags *flags;     /* those in `flags_path`; NULL: every flag is off */
};

/* Of a <Location>. */
struct place_settings {
    enum toggle engine;
};

extern const command_rec redir307_directives[];
void *server_settings_create(apr_pool_t *pool, server_rec *server);
void *server_settings_merge(apr_pool_t *pool, void *outer, void *inner);
void *place_settings_create(apr_pool_t *pool, char *path);
void *place_settings_merge(apr_pool_t *pool, void *outer, void *inner);

/* ---- the request (mod_redir307_request.c) ---- */

/* What a request's key points to besides the request itself. */
struct request_memory {
    char host[URL_HOST_LIMIT + 1];
    struct request_fields fields;
    const request_rec *r;
    const struct flag_names *flags;
};

/* The request target; the slices lie in the request. */
struct request_target {
    struct slice path;
    bool has_query;
    struct slice query;
};
void request_target_read(const request_rec *r, struct request_target *target);

/* Method and URL; the key's slices lie in the request or in *memory. */
void request_key_read(const request_rec *r, const struct server_settings *server,
                      const struct request_target *target, struct request_memory *memory,
                      struct request_key *key);
/* All else that a rule may ask for; `flags` must be held as long as the key is asked. */
void request_facts_read(const request_rec *r, const struct flag_names *flags,
                        struct request_memory *memory, struct request_key *key);

/* What a decision works in: of the thread, which keeps it, or of the request where the thread can
 * have none. Not on the stack: compilers touch each of its pages first, and then it stays in memory
 * whole. */
struct request_scratch {
    struct answer_scratch answer;
    struct regex_scratch *regex; /* NULL until some rule has a regex */
};
struct request_scratch *request_scratch(const request_rec *r);
/* In a child, before the first request. */
void request_scratch_init(apr_pool_t *pchild);

/* ---- the rule files (mod_redir307_open.c, then mod_redir307_files.c) ---- */

/* check_config: opens every rule file that a server names; what is good is kept for post_config,
 * which takes it as it is if it still is the same. A bad one is told and refused under `httpd
 * -t`, and at a cold start unless Redir307OnBadFile is `pass`. */
int rules_files_check(apr_pool_t *scratch, server_rec *main_server);

/* post_config: one struct rules_file a path, opened in the parent, so that children inherit it
 * by fork. */
int rules_files_open(apr_pool_t *pconf, apr_pool_t *scratch, server_rec *main_server);

/* The list that rules_files_open made; NULL where no server names a file. */
struct rules_file *rules_files_first(const server_rec *main_server);
struct rules_file *rules_file_next(const struct rules_file *file);
unsigned rules_files_count(const server_rec *main_server);

/* The time between two looks, or one of WATCH_*. */
apr_interval_time_t rules_file_interval(const struct rules_file *file);

/* Looks whether the path leads to another file, and takes that one if it is good; else the last
 * good one stays and the log says why, once for all processes. */
void rules_file_look(struct rules_file *file);

/* What answers requests at one time. */
struct served {
    const struct ruleset *ruleset; /* NULL: there are no rules */
    bool has_regexes;
    apr_time_t loaded_at;
    unsigned serial; /* of the ones that this process has held */
    unsigned side;   /* of the file's swap, which it is on */
};

/* Tells rules of this file from the same rules in another one, whatever file is put in its
 * place. */
uint64_t rules_file_salt(const struct rules_file *file);

/* In a child, before its first request: guards the mappings that it inherited, and takes what
 * other children have loaded since its parent looked. */
void rules_files_inherit(apr_pool_t *pchild, server_rec *main_server);

/* ---- what is sampled (mod_redir307_samples.c) ---- */

/* post_config: finds the folders of flags that servers name, and reads them once. False: no
 * memory, and told. */
bool flags_open_all(apr_pool_t *pconf, server_rec *main_server);

/* Those that are on, as they stay until flags_leave. NULL is allowed everywhere: none is on. */
const struct flag_names *flags_enter(struct flags *flags);
void flags_leave(struct flags *flags, const struct flag_names *names);
bool flag_is_on(const struct flag_names *names, struct slice name);

/* The share of the server's workers that were busy at the last sample. */
unsigned busy_percent_now(void);

/* Reads the flags and the load anew. */
void samples_take(const server_rec *server);

/* ---- hits of rules (mod_redir307_counters.c) ---- */

/* post_config, before the rule files are opened: makes the table that Redir307Counters asks for,
 * or takes that of before the restart. */
void counters_open(server_rec *main_server);
bool counters_are_on(void);

/* One more hit of this rule: no lock, no call of the system. */
void counters_add(uint64_t rule, int64_t now_s);

struct rule_hits {
    uint64_t count;
    int64_t last_used_s; /* Unix time */
};
/* False: it has none, or none that were counted for it alone. */
bool counters_get(uint64_t rule, struct rule_hits *hits);

struct hits_sum {
    uint64_t slots; /* 0: nothing is counted */
    uint64_t used;
    uint64_t hits;  /* of all rules, `other` among them */
    uint64_t other; /* of rules that found no slot */
};
void counters_sum(struct hits_sum *sum);

/* ---- the status page (mod_redir307_status.c) ---- */

#define STATUS_HANDLER "redir307-status"
int status_handler(request_rec *r);

/* ---- the response (mod_redir307_response.c) ---- */

/* What is to be sent; in the request's pool, or for ever. */
struct response {
    int status;
    const char *rule;          /* "shop.redir:12" */
    const char *location;      /* NULL: none */
    const char *cache_control; /* likewise */
};

/* Copies what it needs: the answer's slices lie in the map, which must be held. False: nothing is
 * to be sent. */
bool response_prepare(request_rec *r, const struct server_settings *server,
                      const struct ruleset *ruleset, const struct answer *answer,
                      struct response *response);
/* Sends what was prepared; nothing needs to be held. May wait for the client. Returns what the hook
 * has to return. */
int response_send(request_rec *r, const struct server_settings *server,
                  const struct response *response);

/* ---- bodies of requests (mod_redir307_body.c) ---- */

/* Once it is known that the request is answered: whether its body is read before that. One above
 * `early_close` bytes, or without a length, is not. May wait for the client. OK, or what the hook
 * has to return instead of the answer. */
int body_settle(request_rec *r, apr_off_t early_close);

/* ---- the watcher (mod_redir307_watch.c) ---- */

/* child_init: the thread that looks after the files; it ends with `pchild`. */
void watch_start(apr_pool_t *pchild, server_rec *main_server);

/* ---- the guard over mappings (mod_redir307_sigbus.c) ---- */

/* Takes SIGBUS over for this process until `pool` goes or sigbus_uninstall. At most `limit`
 * ranges can be guarded at once. False where that failed; nothing is guarded then, and the
 * other functions do nothing. */
bool sigbus_install(apr_pool_t *pool, unsigned limit);
void sigbus_uninstall(void);
bool sigbus_is_installed(void);

/* A read of these bytes that finds no file below them (it was cut short) sees zeros from now
 * on. */
void sigbus_guard(const void *bytes, size_t size);
void sigbus_release(const void *bytes);
/* True once a read of the guarded bytes found no file below. */
bool sigbus_was_hit(const void *bytes);

#endif
