/* SPDX-License-Identifier: Apache-2.0 */
/* The status as HTML for people, JSON for programs, and Prometheus' text format (totals only:
 * a series for each rule would be too many). Every text is escaped where it is written. */
#include "mod_redir307/mod_redir307_status.h"

#include "apr_strings.h"
#include "http_protocol.h"

/* "2026-01-15T08:30:00Z" */
static const char *time_text(apr_pool_t *pool, apr_time_t time)
{
    apr_time_exp_t parts;

    apr_time_exp_gmt(&parts, time);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                        parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                        parts.tm_sec);
}

static const char *number_text(apr_pool_t *pool, uint64_t number)
{
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT, (apr_uint64_t)number);
}

/* ---- HTML ---- */

static void html_row(request_rec *r, const char *name, const char *value)
{
    ap_rvputs(r, "<tr><th scope=\"row\">", name, "</th><td>", ap_escape_html(r->pool, value),
              "</td></tr>\n", NULL);
}

static void html_cell(request_rec *r, const char *value)
{
    ap_rvputs(r, "<td>", ap_escape_html(r->pool, value), "</td>", NULL);
}

static void html_top(request_rec *r, const struct status_file *file)
{
    ap_rputs("<table>\n<caption>Rules by hits</caption>\n<thead><tr><th scope=\"col\">hits</th>"
             "<th scope=\"col\">last</th><th scope=\"col\">rule</th><th scope=\"col\">note</th>"
             "<th scope=\"col\">owner</th></tr></thead>\n<tbody>\n",
             r);
    for (unsigned i = 0; i < file->top_count; i++) {
        const struct status_rule *rule = &file->top[i];

        ap_rputs("<tr>", r);
        html_cell(r, number_text(r->pool, rule->hits));
        html_cell(r, time_text(r->pool, apr_time_from_sec(rule->last_used_s)));
        html_cell(r, rule->where);
        html_cell(r, rule->note);
        html_cell(r, rule->owner);
        ap_rputs("</tr>\n", r);
    }
    ap_rputs("</tbody>\n</table>\n", r);
}

static void html_file(request_rec *r, const struct status_file *file)
{
    ap_rvputs(r, "<section>\n<h2>", ap_escape_html(r->pool, file->path),
              "</h2>\n<table>\n<tbody>\n", NULL);
    html_row(r, "state",
             !file->has_rules   ? "no rules: every request is left to httpd"
             : file->is_refused ? "the file is bad: the rules of before answer"
                                : "the rules answer");
    if (file->has_rules) {
        html_row(r, "id", file->id);
        html_row(r, "rules", number_text(r->pool, file->rules));
        html_row(r, "bytes", number_text(r->pool, file->size));
        html_row(r, "held as", file->is_copy ? "a copy" : "a mapping");
        html_row(r, "loaded at", time_text(r->pool, file->loaded_at));
        html_row(r, "serial in this process", number_text(r->pool, file->serial));
    }
    html_row(r, "loads", number_text(r->pool, file->loads));
    html_row(r, "failures", number_text(r->pool, file->failures));
    if (*file->error) {
        html_row(r, "last error", file->error);
        html_row(r, "last error at", time_text(r->pool, file->error_at));
    }
    ap_rputs("</tbody>\n</table>\n", r);
    if (file->top_count) {
        html_top(r, file);
    }
    ap_rputs("</section>\n", r);
}

void status_write_html(request_rec *r, const struct status *status)
{
    ap_rputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<title>Redirects</title>\n<style>body{font:14px sans-serif;margin:2em}"
             "table{border-collapse:collapse;margin-bottom:1em}"
             "th,td{text-align:left;padding:.2em .8em .2em 0;border-bottom:1px solid #ccc}"
             "caption{text-align:left;font-weight:bold}</style>\n</head>\n<body>\n"
             "<h1>Redirects</h1>\n<table>\n<tbody>\n",
             r);
    html_row(r, "now", time_text(r->pool, status->now));
    html_row(r, "process", number_text(r->pool, (uint64_t)status->pid));
    if (status->hits.slots) {
        html_row(r, "hits", number_text(r->pool, status->hits.hits));
        html_row(r, "of rules without a counter", number_text(r->pool, status->hits.other));
        html_row(r, "counters in use",
                 apr_psprintf(r->pool, "%" APR_UINT64_T_FMT " of %" APR_UINT64_T_FMT,
                              (apr_uint64_t)status->hits.used,
                              (apr_uint64_t)status->hits.slots));
    }
    ap_rputs("</tbody>\n</table>\n", r);
    for (unsigned i = 0; i < status->file_count; i++) {
        html_file(r, &status->files[i]);
    }
    ap_rputs("</body>\n</html>\n", r);
}

/* ---- JSON, and labels of Prometheus: both escape the same two bytes ---- */

static const char *quoted(apr_pool_t *pool, const char *text)
{
    char *out = apr_palloc(pool, 2 * strlen(text) + 3), *to = out;

    *to++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            *to++ = '\\';
        }
        *to++ = *text;
    }
    *to++ = '"';
    *to = '\0';
    return out;
}

static void json_text(request_rec *r, const char *name, const char *value)
{
    ap_rvputs(r, ",\"", name, "\":", quoted(r->pool, value), NULL);
}

static void json_number(request_rec *r, const char *name, uint64_t value)
{
    ap_rvputs(r, ",\"", name, "\":", number_text(r->pool, value), NULL);
}

static void json_top(request_rec *r, const struct status_file *file)
{
    ap_rputs(",\"top\":[", r);
    for (unsigned i = 0; i < file->top_count; i++) {
        const struct status_rule *rule = &file->top[i];

        ap_rvputs(r, i ? ",\n{" : "\n{", "\"rule\":", quoted(r->pool, rule->where), NULL);
        json_number(r, "hits", rule->hits);
        json_text(r, "last_used", time_text(r->pool, apr_time_from_sec(rule->last_used_s)));
        if (*rule->note) {
            json_text(r, "note", rule->note);
        }
        if (*rule->owner) {
            json_text(r, "owner", rule->owner);
        }
        ap_rputs("}", r);
    }
    ap_rputs("]", r);
}

static void json_file(request_rec *r, const struct status_file *file)
{
    ap_rvputs(r, "{\"path\":", quoted(r->pool, file->path), NULL);
    json_text(r, "state",
              !file->has_rules   ? "none"
              : file->is_refused ? "stale"
                                 : "good");
    if (file->has_rules) {
        json_text(r, "id", file->id);
        json_number(r, "rules", file->rules);
        json_number(r, "bytes", file->size);
        json_text(r, "held_as", file->is_copy ? "copy" : "mapping");
        json_text(r, "loaded_at", time_text(r->pool, file->loaded_at));
        json_number(r, "serial", file->serial);
    }
    json_number(r, "loads", file->loads);
    json_number(r, "failures", file->failures);
    if (*file->error) {
        json_text(r, "last_error", file->error);
        json_text(r, "last_error_at", time_text(r->pool, file->error_at));
    }
    json_top(r, file);
    ap_rputs("}", r);
}

void status_write_json(request_rec *r, const struct status *status)
{
    ap_rvputs(r, "{\"now\":", quoted(r->pool, time_text(r->pool, status->now)), NULL);
    json_number(r, "pid", (uint64_t)status->pid);
    if (status->hits.slots) {
        ap_rputs(",\"counters\":{\"slots\":", r);
        ap_rputs(number_text(r->pool, status->hits.slots), r);
        json_number(r, "used", status->hits.used);
        json_number(r, "hits", status->hits.hits);
        json_number(r, "other", status->hits.other);
        ap_rputs("}", r);
    }
    ap_rputs(",\"files\":[", r);
    for (unsigned i = 0; i < status->file_count; i++) {
        ap_rputs(i ? ",\n" : "\n", r);
        json_file(r, &status->files[i]);
    }
    ap_rputs("]}\n", r);
}

/* ---- Prometheus ---- */

static void metric(request_rec *r, const char *name, const char *type, const char *help)
{
    ap_rvputs(r, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", NULL);
}

static void metric_alone(request_rec *r, const char *name, const char *type, const char *help,
                         uint64_t value)
{
    metric(r, name, type, help);
    ap_rvputs(r, name, " ", number_text(r->pool, value), "\n", NULL);
}

static uint64_t is_good(const struct status_file *file)
{
    return file->has_rules && !file->is_refused;
}

static uint64_t rules_of(const struct status_file *file)
{
    return file->rules;
}

static uint64_t loaded_at(const struct status_file *file)
{
    return (uint64_t)apr_time_sec(file->loaded_at);
}

static uint64_t loads_of(const struct status_file *file)
{
    return file->loads;
}

static uint64_t failures_of(const struct status_file *file)
{
    return file->failures;
}

void status_write_prometheus(request_rec *r, const struct status *status)
{
    static const struct file_metric {
        const char *name, *type, *help;
        uint64_t (*value)(const struct status_file *file);
    } metrics[] = {
        { "redir307_file_good", "gauge", "1 where the file at the path is the one that answers.",
          is_good },
        { "redir307_rules", "gauge", "Rules that answer.", rules_of },
        { "redir307_loaded_timestamp_seconds", "gauge",
          "When this process took the rules that answer.", loaded_at },
        { "redir307_loads_total", "counter", "Files that were taken.", loads_of },
        { "redir307_load_failures_total", "counter", "Files that were refused.", failures_of },
    };

    if (status->hits.slots) {
        metric_alone(r, "redir307_hits_total", "counter", "Requests that a rule decided.",
                     status->hits.hits);
        metric_alone(r, "redir307_other_hits_total", "counter",
                     "Of them, those of rules that found no counter.", status->hits.other);
        metric_alone(r, "redir307_counters", "gauge", "Rules that can be counted.",
                     status->hits.slots);
        metric_alone(r, "redir307_counters_used", "gauge", "Rules that were counted.",
                     status->hits.used);
    }
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        metric(r, metrics[i].name, metrics[i].type, metrics[i].help);
        for (unsigned k = 0; k < status->file_count; k++) {
            const struct status_file *file = &status->files[k];

            ap_rvputs(r, metrics[i].name, "{file=", quoted(r->pool, file->path), "} ",
                      number_text(r->pool, metrics[i].value(file)), "\n", NULL);
        }
    }
}
