/* SPDX-License-Identifier: Apache-2.0 */
/* The module record and its hooks: which requests are ours, and when what happens. What to answer
 * is decided in answer.c, sent in mod_redir307_response.c; which files hold the rules is
 * mod_redir307_files.c's. */
#include "mod_redir307/mod_redir307_files.h"

#include "mod_redir307/regex.h"
#include "mod_redir307/trace.h"

#include "ap_expr.h"
#include "http_core.h"
#include "http_log.h"
#include "http_request.h"
#include "mpm_common.h"

APLOG_USE_MODULE(redir307);

/* What trace3 tells about one decision; written while the rules are held, logged after that. */
struct told_decision {
    struct answer_trace trace;
    const struct ruleset *ruleset;
    unsigned lines_count, more_count;
    char request[TRACE_LINE_SIZE];
    char answer[TRACE_LINE_SIZE];
    char lines[32][TRACE_LINE_SIZE / 4];
};

/* Subrequests and internal redirects would turn a rule for /index.html into a loop, and one for
 * everything into the end of all error pages. CONNECT and what a forward proxy is asked for are no
 * paths of ours; TRACE is httpd's to answer. */
static bool is_ours(const request_rec *r)
{
    return !r->main && !r->prev && r->proxyreq != PROXYREQ_PROXY &&
           r->method_number != M_CONNECT && r->method_number != M_TRACE && r->unparsed_uri;
}

/* No rule takes the status page away from those who look for what is wrong with the rules. */
static bool is_status_page(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const char *failed = NULL, *handler;

    /* SetHandler takes an expression; a plain word is one, too. */
    if (!core->expr_handler) {
        return false;
    }
    handler = ap_expr_str_exec(r, core->expr_handler, &failed);
    return !failed && handler && strcmp(handler, STATUS_HANDLER) == 0;
}

static void tell_candidate(void *baton, uint32_t place, const char *why)
{
    struct told_decision *told = baton;

    if (told->lines_count < sizeof(told->lines) / sizeof(told->lines[0])) {
        trace_candidate(told->ruleset, place, why, told->lines[told->lines_count++],
                        sizeof(told->lines[0]));
    } else {
        told->more_count++;
    }
}

/* The caller tells the answer, and all of it once the rules are left. */
static struct told_decision *start_telling(request_rec *r, const struct ruleset *ruleset,
                                           const struct request_key *key)
{
    struct told_decision *told = apr_pcalloc(r->pool, sizeof(*told));

    told->trace = (struct answer_trace){ .candidate = tell_candidate, .baton = told };
    told->ruleset = ruleset;
    trace_request(key, told->request, sizeof(told->request));
    return told;
}

static void tell_decision(request_rec *r, const struct told_decision *told)
{
    ap_log_rerror(APLOG_MARK, APLOG_TRACE3, 0, r, "%s", told->request);
    for (unsigned i = 0; i < told->lines_count; i++) {
        ap_log_rerror(APLOG_MARK, APLOG_TRACE3, 0, r, "  %s", told->lines[i]);
    }
    if (told->more_count) {
        ap_log_rerror(APLOG_MARK, APLOG_TRACE3, 0, r, "  and %u more", told->more_count);
    }
    ap_log_rerror(APLOG_MARK, APLOG_TRACE3, 0, r, "-> %s", told->answer);
}

/* Usually there is no query, and the whole target is the path. */
static bool is_path_alone(const request_rec *r)
{
    return *r->unparsed_uri == '/' && !r->parsed_uri.query && !r->parsed_uri.fragment;
}

static struct probe probe_target(const struct ruleset *ruleset, const request_rec *r)
{
    struct request_target target;

    if (!r->uri || *r->uri != '/') { /* "OPTIONS *" */
        return (struct probe){ .may_answer = false };
    }
    request_target_read(r, &target);
    return probe_path(ruleset, target.path, target.has_query);
}

/* Where a rule may be met, or every decision is told: what the path alone does not decide. A
 * function of its own: what it needs of the stack costs nothing where no rule is met.
 * `path_size`: of the path that is the whole target, where it is that. Leaves the rules. */
static __attribute__((noinline)) int answer(request_rec *r, const struct server_settings *server,
                                            const struct served *served, size_t path_size,
                                            struct probe probe)
{
    struct request_target target = { .path = slice_of(r->unparsed_uri, path_size) };
    const struct ruleset *ruleset = served->ruleset;
    const struct flag_names *flags = NULL;
    struct told_decision *told = NULL;
    struct request_scratch *scratch;
    struct request_memory memory;
    struct request_key key;
    struct answer answer;
    struct response response;
    bool is_answered;

    if (is_status_page(r)) {
        rules_file_leave(server->file, served);
        return DECLINED;
    }
    if (!is_path_alone(r)) {
        request_target_read(r, &target);
    }
    scratch = request_scratch(r);
    request_key_read(r, server, &target, &memory, &key);
    if (served->has_regexes) {
        if (!scratch->regex) {
            scratch->regex = regex_scratch_open();
        }
        key.regex = scratch->regex;
    }
    if (ruleset_reads_facts(ruleset)) {
        flags = flags_enter(server->flags);
        request_facts_read(r, flags, &memory, &key);
    }
    if (APLOGrtrace3(r)) {
        told = start_telling(r, ruleset, &key);
    }
    answer_probed(ruleset, &key, probe, &scratch->answer, told ? &told->trace : NULL, &answer);
    if (flags) {
        flags_leave(server->flags, flags);
    }
    is_answered = response_prepare(r, server, ruleset, &answer, &response);
    if (told) {
        trace_answer(ruleset, &answer, told->answer, sizeof(told->answer));
    }
    rules_file_leave(server->file, served);
    if (told) {
        tell_decision(r, told);
    }
    return is_answered ? response_send(r, server, &response) : DECLINED;
}

/* `path`: the whole target, where it is one alone. */
static inline __attribute__((always_inline)) int ask(request_rec *r,
                                                     const struct server_settings *server,
                                                     struct slice path, bool is_alone)
{
    /* Until they are left again nothing waits: no file, no log, no lock of another's. */
    const struct served *served = rules_file_enter(server->file);
    struct probe probe;

    if (served->ruleset) {
        probe = is_alone ? probe_path_alone(served->ruleset, path)
                         : probe_target(served->ruleset, r);
        if (probe.may_answer) {
            return answer(r, server, served, path.size, probe);
        }
        if (APLOGrtrace3(r)) {
            return answer(r, server, served, path.size, (struct probe){ .may_answer = true });
        }
    }
    rules_file_leave(server->file, served);
    return DECLINED;
}

/* The rare case is a function of its own, and the usual one has the registers for itself. */
static __attribute__((noinline)) int ask_target(request_rec *r,
                                                const struct server_settings *server)
{
    return ask(r, server, slice_of(NULL, 0), false);
}

static int translate_name(request_rec *r)
{
    const struct server_settings *server =
        ap_get_module_config(r->server->module_config, &redir307_module);
    const struct place_settings *place =
        ap_get_module_config(r->per_dir_config, &redir307_module);

    if (!server->file || place->engine == TOGGLE_OFF || !is_ours(r)) {
        return DECLINED;
    }
    if (server->looks_each_request) {
        rules_file_look(server->file);
        samples_take(r->server);
    }
    return is_path_alone(r) ? ask(r, server, slice_from_string(r->unparsed_uri), true)
                            : ask_target(r, server);
}

/* For httpd, and 80 KB for an answer: regexes, and segments with several placeholders. */
enum { STACK_NEEDED = 256 * 1024 };

static void warn_if_stack_is_small(server_rec *main_server)
{
    if (ap_thread_stacksize != 0 && ap_thread_stacksize < STACK_NEEDED &&
        rules_files_first(main_server)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     "R307-911: ThreadStackSize %lu is too small for this module; write %d or "
                     "more, or take the line "
                     "away",
                     (unsigned long)ap_thread_stacksize, (int)STACK_NEEDED);
    }
}

static bool is_first_pass(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

/* Before the first post_config, and under `httpd -t`, which has none. A restart is never
 * refused here: that would end a server that still answers. */
static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                        server_rec *main_server)
{
    (void)pconf;
    (void)plog;
    return is_first_pass() ? rules_files_check(ptemp, main_server) : OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *main_server)
{
    int result;

    (void)plog;
    if (is_first_pass()) {
        return OK;
    }
    if (!flags_open_all(pconf, main_server)) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    counters_open(main_server);
    result = rules_files_open(pconf, ptemp, main_server);
    warn_if_stack_is_small(main_server);
    return result;
}

static void child_init(apr_pool_t *pchild, server_rec *main_server)
{
    rules_files_inherit(pchild, main_server);
    request_scratch_init(pchild);
    watch_start(pchild, main_server);
}

/* In the parent: children born from now on start from what it holds. */
static void look_for_heirs(server_rec *main_server)
{
    for (struct rules_file *file = rules_files_first(main_server); file;
         file = rules_file_next(file)) {
        if (rules_file_interval(file) != WATCH_OFF) {
            rules_file_look(file);
        }
    }
}

/* Every ten seconds or so. */
static int monitor(apr_pool_t *scratch, server_rec *main_server)
{
    (void)scratch;
    look_for_heirs(main_server);
    return OK;
}

/* Where one child comes or goes, others follow. */
static void child_status(server_rec *main_server, pid_t process, ap_generation_t generation,
                         int slot, mpm_child_status state)
{
    (void)process;
    (void)generation;
    (void)slot;
    if (state == MPM_CHILD_STARTED || state == MPM_CHILD_EXITED) {
        look_for_heirs(main_server);
    }
}

static void register_hooks(apr_pool_t *pool)
{
    /* Before everybody else who translates: neither a RewriteRule nor a ProxyPass or Alias
     * hides a rule. */
    static const char *const after_us[] = { "mod_rewrite.c", "mod_proxy.c", "mod_alias.c",
                                            NULL };

    (void)pool;
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_status(child_status, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(status_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate_name, NULL, after_us, APR_HOOK_FIRST);
}

module AP_MODULE_DECLARE_DATA redir307_module = {
    STANDARD20_MODULE_STUFF, place_settings_create, place_settings_merge,
    server_settings_create,  server_settings_merge, redir307_directives,
    register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE
#endif
};
