/* SPDX-License-Identifier: Apache-2.0 */
/* The directives: what they take, what holds where none is written, and how an inner server or
 * location adds to the outer one. Reads no file: a restart must not end the server because a
 * rule file is bad (mod_redir307_open.c judges them). One page a directive:
 * docs/directives/. */
#include "mod_redir307/mod_redir307.h"

#include "apr_lib.h"
#include "apr_network_io.h"
#include "apr_strings.h"

#include <stddef.h>
#include <stdint.h>

void *server_settings_create(apr_pool_t *pool, server_rec *server)
{
    struct server_settings *settings = apr_pcalloc(pool, sizeof(*settings));

    settings->watch = WATCH_UNSET;
    settings->early_close = EARLY_CLOSE_UNSET;
    if (!server->is_virtual) {
        /* The main server's are the outermost: what stands here is the default. */
        settings->on_bad_file = ON_BAD_FILE_REFUSE;
        settings->watch = apr_time_from_sec(1);
        settings->note = TOGGLE_ON;
        settings->copy = TOGGLE_OFF;
        settings->counters = COUNTERS_DEFAULT;
        settings->early_close = EARLY_CLOSE_OFF;
        settings->expose = EXPOSE_OFF;
    }
    return settings;
}

void *server_settings_merge(apr_pool_t *pool, void *outer_settings, void *inner_settings)
{
    const struct server_settings *outer = outer_settings;
    const struct server_settings *inner = inner_settings;
    struct server_settings *merged = apr_pmemdup(pool, inner, sizeof(*inner));

    if (!inner->rules) {
        merged->rules = outer->rules;
        merged->written_at = outer->written_at;
    }
    if (inner->on_bad_file == ON_BAD_FILE_UNSET) {
        merged->on_bad_file = outer->on_bad_file;
    }
    if (inner->watch == WATCH_UNSET) {
        merged->watch = outer->watch;
    }
    if (!inner->trusted) {
        merged->trusted = outer->trusted;
    }
    if (inner->note == TOGGLE_UNSET) {
        merged->note = outer->note;
    }
    if (inner->copy == TOGGLE_UNSET) {
        merged->copy = outer->copy;
    }
    if (inner->early_close == EARLY_CLOSE_UNSET) {
        merged->early_close = outer->early_close;
    }
    if (inner->expose == EXPOSE_UNSET) {
        merged->expose = outer->expose;
    }
    if (!inner->flags_path) {
        merged->flags_path = outer->flags_path;
    }
    return merged;
}

void *place_settings_create(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(struct place_settings));
}

void *place_settings_merge(apr_pool_t *pool, void *outer_settings, void *inner_settings)
{
    const struct place_settings *outer = outer_settings;
    const struct place_settings *inner = inner_settings;
    struct place_settings *merged = apr_pmemdup(pool, inner, sizeof(*inner));

    if (inner->engine == TOGGLE_UNSET) {
        merged->engine = outer->engine;
    }
    return merged;
}

static struct server_settings *settings_of(const cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config, &redir307_module);
}

static const char *set_rules(cmd_parms *cmd, void *place, const char *path)
{
    struct server_settings *settings = settings_of(cmd);

    (void)place;
    if (ap_cstr_casecmp(path, "none") == 0) {
        settings->rules = "";
        return NULL;
    }
    settings->rules = ap_server_root_relative(cmd->pool, path);
    if (!settings->rules) {
        return apr_psprintf(
            cmd->pool,
            "Redir307Rules: \"%s\" is no file path; name a file made by \"rulec compile\", or "
            "write \"none\"",
            path);
    }
    settings->written_at =
        apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    return NULL;
}

static const char *set_on_bad_file(cmd_parms *cmd, void *place, const char *word)
{
    struct server_settings *settings = settings_of(cmd);

    (void)place;
    if (ap_cstr_casecmp(word, "refuse") == 0) {
        settings->on_bad_file = ON_BAD_FILE_REFUSE;
    } else if (ap_cstr_casecmp(word, "pass") == 0) {
        settings->on_bad_file = ON_BAD_FILE_PASS;
    } else {
        return apr_psprintf(cmd->pool,
                            "Redir307OnBadFile: \"%s\" is not known; write \"refuse\" (do not "
                            "start) or \"pass\" "
                            "(start, and leave every request to httpd until the file is good)",
                            word);
    }
    return NULL;
}

static const char *set_engine(cmd_parms *cmd, void *place_settings, int is_on)
{
    struct place_settings *place = place_settings;
    /* Redirects are decided before httpd knows the directory or file: it could never take
     * effect there. */
    const char *refusal = ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES |
                                                        NOT_IN_LIMIT | NOT_IN_PROXY);

    if (refusal) {
        return apr_pstrcat(cmd->pool, refusal,
                           "; write it into a <Location>, a virtual host or the server", NULL);
    }
    place->engine = is_on ? TOGGLE_ON : TOGGLE_OFF;
    return NULL;
}

/* httpd's own parser takes any word that starts like a unit. */
static bool is_time(const char *word)
{
    static const char *const units[] = { "", "ms", "s", "mi", "min", "h" };
    size_t digits = strspn(word, "0123456789");

    for (size_t i = 0; digits && i < sizeof(units) / sizeof(units[0]); i++) {
        if (ap_cstr_casecmp(word + digits, units[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *set_watch(cmd_parms *cmd, void *place, const char *word)
{
    struct server_settings *settings = settings_of(cmd);
    apr_interval_time_t interval;

    (void)place;
    if (ap_cstr_casecmp(word, "off") == 0) {
        settings->watch = WATCH_OFF;
    } else if (is_time(word) &&
               ap_timeout_parameter_parse(word, &interval, "s") == APR_SUCCESS &&
               interval >= 0 && interval <= apr_time_from_sec(86400)) {
        settings->watch = interval;
    } else {
        return apr_psprintf(
            cmd->pool,
            "Redir307Watch: \"%s\" is no time between 0 and one day; write for example \"1s\", "
            "\"200ms\" or \"off\"",
            word);
    }
    return NULL;
}

static const char *add_trusted(cmd_parms *cmd, void *place, const char *word)
{
    struct server_settings *settings = settings_of(cmd);
    char *address = apr_pstrdup(cmd->pool, word);
    char *mask = strchr(address, '/');
    apr_ipsubnet_t *subnet;

    (void)place;
    if (!settings->trusted) {
        settings->trusted = apr_array_make(cmd->pool, 4, sizeof(apr_ipsubnet_t *));
    }
    if (ap_cstr_casecmp(word, "none") == 0) {
        apr_array_clear(settings->trusted);
        return NULL;
    }
    if (mask) {
        *mask++ = '\0';
    }
    if (apr_ipsubnet_create(&subnet, address, mask, cmd->pool) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool,
                            "Redir307TrustProxy: \"%s\" is no address or network; write for "
                            "example \"192.0.2.7\", "
                            "\"10.0.0.0/8\", \"2001:db8::/32\" or \"none\"",
                            word);
    }
    APR_ARRAY_PUSH(settings->trusted, apr_ipsubnet_t *) = subnet;
    return NULL;
}

static const char *set_flags(cmd_parms *cmd, void *place, const char *path)
{
    struct server_settings *settings = settings_of(cmd);

    (void)place;
    if (ap_cstr_casecmp(path, "none") == 0) {
        settings->flags_path = "";
        return NULL;
    }
    settings->flags_path = ap_server_root_relative(cmd->pool, path);
    if (!settings->flags_path) {
        return apr_psprintf(
            cmd->pool, "Redir307Flags: \"%s\" is no path; name a folder, or write \"none\"",
            path);
    }
    return NULL;
}

/* What is "on" or "off" for a server: cmd->info is where its toggle stands among the settings. */
static const char *set_toggle(cmd_parms *cmd, void *place, int is_on)
{
    char *settings = (char *)settings_of(cmd);

    (void)place;
    *(enum toggle *)(void *)(settings + (uintptr_t)cmd->info) = is_on ? TOGGLE_ON : TOGGLE_OFF;
    return NULL;
}

static const char *set_early_close(cmd_parms *cmd, void *place, const char *word)
{
    struct server_settings *settings = settings_of(cmd);
    apr_off_t size;
    char *end;

    (void)place;
    if (ap_cstr_casecmp(word, "off") == 0) {
        settings->early_close = EARLY_CLOSE_OFF;
    } else if (apr_isdigit(*word) && apr_strtoff(&size, word, &end, 10) == APR_SUCCESS &&
               *end == '\0' && size >= 0) {
        settings->early_close = size;
    } else {
        return apr_psprintf(
            cmd->pool,
            "Redir307EarlyClose: \"%s\" is no number of bytes; write for example \"1048576\", "
            "or \"off\"",
            word);
    }
    return NULL;
}

static const char *set_counters(cmd_parms *cmd, void *place, const char *word)
{
    struct server_settings *settings = settings_of(cmd);
    const char *refusal = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_int64_t count;
    char *end;

    (void)place;
    if (refusal) {
        return apr_pstrcat(cmd->pool, refusal, "; all servers share one table", NULL);
    }
    if (ap_cstr_casecmp(word, "off") == 0) {
        settings->counters = COUNTERS_OFF;
        return NULL;
    }
    count = apr_isdigit(*word) ? apr_strtoi64(word, &end, 10) : 0;
    if (count < 1 || count > COUNTERS_LIMIT || *end) {
        return apr_psprintf(cmd->pool,
                            "Redir307Counters: \"%s\" is no number between 1 and %d; write for "
                            "example \"65536\" (rules to count the hits of), or \"off\"",
                            word, (int)COUNTERS_LIMIT);
    }
    settings->counters = (unsigned)count;
    return NULL;
}

static const char *set_expose(cmd_parms *cmd, void *place, const char *word)
{
    struct server_settings *settings = settings_of(cmd);

    (void)place;
    if (ap_cstr_casecmp(word, "off") == 0) {
        settings->expose = EXPOSE_OFF;
    } else if (ap_cstr_casecmp(word, "id") == 0) {
        settings->expose = EXPOSE_ID;
    } else if (ap_cstr_casecmp(word, "rule") == 0) {
        settings->expose = EXPOSE_RULE;
    } else {
        return apr_psprintf(
            cmd->pool,
            "Redir307Expose: \"%s\" is not known; write \"off\", \"id\" (of the rule file) or "
            "\"rule\" (its file and line)",
            word);
    }
    return NULL;
}

/* None of them in .htaccess: it is read after the decision. */
const command_rec redir307_directives[] = {
    AP_INIT_TAKE1("Redir307Rules", set_rules, NULL, RSRC_CONF,
                  "a rule file made by rulec, or \"none\""),
    AP_INIT_TAKE1("Redir307OnBadFile", set_on_bad_file, NULL, RSRC_CONF,
                  "\"refuse\" or \"pass\": what a cold start does with a bad rule file"),
    AP_INIT_FLAG("Redir307Engine", set_engine, NULL, RSRC_CONF | ACCESS_CONF,
                 "\"on\" or \"off\": whether the rules are asked here"),
    AP_INIT_TAKE1("Redir307Watch", set_watch, NULL, RSRC_CONF,
                  "time between two looks for a new rule file, or \"off\""),
    AP_INIT_TAKE1("Redir307Flags", set_flags, NULL, RSRC_CONF,
                  "a folder in which a file named as a flag switches it on, or \"none\""),
    AP_INIT_ITERATE("Redir307TrustProxy", add_trusted, NULL, RSRC_CONF,
                    "addresses or networks whose X-Forwarded-Proto is believed"),
    AP_INIT_FLAG("Redir307Note", set_toggle, (void *)offsetof(struct server_settings, note),
                 RSRC_CONF, "\"on\" or \"off\": whether answers carry a short HTML note"),
    AP_INIT_FLAG("Redir307Copy", set_toggle, (void *)offsetof(struct server_settings, copy),
                 RSRC_CONF,
                 "\"on\" or \"off\": whether the rule file is copied into memory, not mapped"),
    AP_INIT_TAKE1("Redir307Counters", set_counters, NULL, RSRC_CONF,
                  "how many rules' hits can be counted, or \"off\""),
    AP_INIT_TAKE1("Redir307EarlyClose", set_early_close, NULL, RSRC_CONF,
                  "bytes of a request's body that an answer waits for, or \"off\": all of them"),
    AP_INIT_TAKE1("Redir307Expose", set_expose, NULL, RSRC_CONF,
                  "\"off\", \"id\" or \"rule\": what X-Redirect-By tells"),
    { .name = NULL }
};
