/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over the messages for each form. Lines and columns count from 1, columns in characters, an end is behind
 * the last character. */
#include "config.h"

#include "rulec/report.h"

#include "mod_redir307/url.h"
#include "rulec/json_out.h"

#include <string.h>

enum { CODE_SIZE = 16, MESSAGE_SIZE = 4096 };

static void write_code(enum diag_code code, char text[CODE_SIZE])
{
    snprintf(text, CODE_SIZE, "R307-%03d", (int)code);
}

/* ---- json ---- */

static void set_place(json_t *object, const struct source_set *sources, struct span span)
{
    struct source_place start = source_locate(sources, span.at);
    struct source_place end = source_locate(sources, span.end);

    if (!start.source)
        return;
    json_object_set_new(object, "file", json_from_text(start.source->path));
    json_object_set_new(object, "line", json_integer(start.line));
    json_object_set_new(object, "column", json_integer(start.column));
    if (end.source != start.source)
        return;
    json_object_set_new(object, "end_line", json_integer(end.line));
    json_object_set_new(object, "end_column", json_integer(end.column));
}

static json_t *message_to_json(const struct source_set *sources, const struct diag_message *message)
{
    json_t *object = json_object(), *notes = json_array();
    char code[CODE_SIZE];

    write_code(message->code, code);
    set_place(object, sources, message->span);
    json_object_set_new(object, "severity", json_from_text(message->severity == DIAG_ERROR ? "error" : "warning"));
    json_object_set_new(object, "code", json_from_text(code));
    json_object_set_new(object, "name", json_from_text(diag_code_name(message->code)));
    json_object_set_new(object, "message", json_from_text(message->text));
    for (const struct diag_note *note = message->notes; note; note = note->next) {
        json_t *item = json_object();

        json_object_set_new(item, "kind", json_from_text(note->is_help ? "help" : "note"));
        json_object_set_new(item, "message", json_from_text(note->text));
        if (!note->is_help)
            set_place(item, sources, note->span);
        json_array_append_new(notes, item);
    }
    json_object_set_new(object, "notes", notes);
    return object;
}

json_t *report_json(const struct compilation *compilation)
{
    const struct diag_message *messages;
    size_t count = diag_messages(compilation->diag, &messages);
    json_t *root = json_object(), *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, message_to_json(compilation->sources, &messages[i]));
    json_object_set_new(root, "diagnostics", list);
    json_object_set_new(root, "errors", json_integer((json_int_t)diag_error_count(compilation->diag)));
    json_object_set_new(root, "warnings", json_integer((json_int_t)diag_warning_count(compilation->diag)));
    json_object_set_new(root, "rules", json_integer(compilation->plan->rule_count));
    return root;
}

/* ---- sarif ---- */

/* A relative reference, or a file: URL for an absolute path (SARIF 2.1.0, 3.4). */
static json_t *path_to_uri(struct arena *arena, const char *path)
{
    struct slice bytes = slice_from_string(path);
    bool is_absolute = *path == '/';
    char *text = arena_alloc(arena, 3 * bytes.size + 16);
    size_t size = is_absolute ? 7 : 0;

    memcpy(text, "file://", size);
    for (size_t i = 0; i < bytes.size; i++)
        /* A colon in a first segment would make a scheme of it. */
        if (bytes.data[i] == ':' && !is_absolute)
            size += (size_t)snprintf(text + size, 4, "%%3A");
        else
            size += url_encode(slice_of(bytes.data + i, 1), URL_IN_PATH, text + size, 4);
    return json_from_slice(slice_of(text, size));
}

static json_t *location(const struct compilation *compilation, struct span span, const char *message)
{
    struct source_place start = source_locate(compilation->sources, span.at);
    struct source_place end = source_locate(compilation->sources, span.end);
    json_t *artifact = json_object(), *region = json_object(), *physical = json_object(), *result = json_object();

    if (start.source) {
        json_object_set_new(artifact, "uri", path_to_uri(compilation->arena, start.source->path));
        json_object_set_new(region, "startLine", json_integer(start.line));
        json_object_set_new(region, "startColumn", json_integer(start.column));
    }
    if (start.source && end.source == start.source) {
        json_object_set_new(region, "endLine", json_integer(end.line));
        json_object_set_new(region, "endColumn", json_integer(end.column));
    }
    json_object_set_new(physical, "artifactLocation", artifact);
    if (start.source)
        json_object_set(physical, "region", region);
    json_decref(region);
    json_object_set_new(result, "physicalLocation", physical);
    if (message) {
        json_t *text = json_object();

        json_object_set_new(text, "text", json_from_text(message));
        json_object_set_new(result, "message", text);
    }
    return result;
}

static json_t *message_to_sarif(const struct compilation *compilation, const struct diag_message *message)
{
    json_t *result = json_object(), *text = json_object(), *locations = json_array(), *related = json_array();
    const char *words = message->text;
    char code[CODE_SIZE];

    for (const struct diag_note *note = message->notes; note; note = note->next)
        if (note->is_help)
            words = arena_printf(compilation->arena, "%s\nhelp: %s", words, note->text);
        else
            json_array_append_new(related, location(compilation, note->span, note->text));
    write_code(message->code, code);
    json_object_set_new(result, "ruleId", json_from_text(code));
    json_object_set_new(result, "level", json_from_text(message->severity == DIAG_ERROR ? "error" : "warning"));
    json_object_set_new(text, "text", json_from_text(words));
    json_object_set_new(result, "message", text);
    json_array_append_new(locations, location(compilation, message->span, NULL));
    json_object_set_new(result, "locations", locations);
    if (json_array_size(related))
        json_object_set(result, "relatedLocations", related);
    json_decref(related);
    return result;
}

/* Every code there is, so that a service can show them whether or not they were found. */
static json_t *all_codes(void)
{
    const enum diag_code *codes;
    size_t count = diag_code_list(&codes);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *rule = json_object(), *description = json_object(), *configuration = json_object();
        char code[CODE_SIZE];

        write_code(codes[i], code);
        json_object_set_new(rule, "id", json_from_text(code));
        json_object_set_new(rule, "name", json_from_text(diag_code_name(codes[i])));
        json_object_set_new(description, "text", json_from_text(diag_code_text(codes[i])));
        json_object_set_new(rule, "shortDescription", description);
        json_object_set_new(configuration, "level",
                            json_from_text(diag_code_severity(codes[i]) == DIAG_ERROR ? "error" : "warning"));
        json_object_set_new(rule, "defaultConfiguration", configuration);
        json_array_append_new(list, rule);
    }
    return list;
}

json_t *report_sarif(const struct compilation *compilation)
{
    const struct diag_message *messages;
    size_t count = diag_messages(compilation->diag, &messages);
    json_t *root = json_object(), *runs = json_array(), *run = json_object(), *results = json_array();
    json_t *tool = json_object(), *driver = json_object();

    json_object_set_new(driver, "name", json_from_text("rulec"));
    json_object_set_new(driver, "version", json_from_text(PACKAGE_VERSION));
    json_object_set_new(driver, "rules", all_codes());
    json_object_set_new(tool, "driver", driver);
    json_object_set_new(run, "tool", tool);
    json_object_set_new(run, "columnKind", json_from_text("unicodeCodePoints"));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(results, message_to_sarif(compilation, &messages[i]));
    json_object_set_new(run, "results", results);
    json_array_append_new(runs, run);
    json_object_set_new(root, "$schema", json_from_text("https://json.schemastore.org/sarif-2.1.0.json"));
    json_object_set_new(root, "version", json_from_text("2.1.0"));
    json_object_set_new(root, "runs", runs);
    return root;
}

/* ---- github ---- */

/* Bytes that would end a workflow command, or one of its properties. */
static void put_escaped(const char *text, const char *special, FILE *out)
{
    for (; *text; text++)
        if (*text == '%' || *text == '\r' || *text == '\n' || strchr(special, *text))
            fprintf(out, "%%%02X", (unsigned char)*text);
        else
            putc(*text, out);
}

void report_github(const struct compilation *compilation, FILE *out)
{
    const struct diag_message *messages;
    size_t count = diag_messages(compilation->diag, &messages);

    for (size_t i = 0; i < count; i++) {
        const struct diag_message *message = &messages[i];
        struct source_place start = source_locate(compilation->sources, message->span.at);
        char code[CODE_SIZE];

        write_code(message->code, code);
        fprintf(out, "::%s ", message->severity == DIAG_ERROR ? "error" : "warning");
        if (start.source) {
            fputs("file=", out);
            put_escaped(start.source->path, ":,", out);
            fprintf(out, ",line=%u,col=%u,", (unsigned)start.line, (unsigned)start.column);
        }
        fprintf(out, "title=%s %s::", code, diag_code_name(message->code));
        put_escaped(message->text, "", out);
        for (const struct diag_note *note = message->notes; note; note = note->next) {
            struct source_place place = source_locate(compilation->sources, note->span.at);
            char where[MESSAGE_SIZE] = "";

            if (!note->is_help && place.source)
                snprintf(where, sizeof where, " (%s:%u)", place.source->path, (unsigned)place.line);
            fputs(note->is_help ? "%0Ahelp: " : "%0Anote: ", out);
            put_escaped(note->text, "", out);
            put_escaped(where, "", out);
        }
        putc('\n', out);
    }
}
