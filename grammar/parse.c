/* SPDX-License-Identifier: Apache-2.0 */
/* Files: opened, checked to be text, read by the grammar; includes and tables found from where
 * they are named. A file knows who included it, so a circle is seen before it is gone round. */
#include "config.h"

#include "grammar/parse_file.h"
#include "grammar/parser.h"
#include "grammar/scan.h"
#include "grammar/text_check.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

struct parse {
    struct ast *ast;
    struct diag *diag;
    struct scan scan;
    const struct source *source;
    struct parse *includer;   /* NULL: a file of the command line */
    struct span include_span; /* the word that named this file, in the includer */
    unsigned include_depth;
    bool
        is_full; /* the file limit was met and reported; kept in the file of the command line */
    bool is_alone;     /* what it includes is not read */
    bool has_identity; /* false for texts and standard input */
    dev_t device;
    ino_t inode;
    struct ast_items items;
};

struct ast *parse_tree(const struct parse *parse)
{
    return parse->ast;
}

void parse_file_done(struct parse *parse, struct ast_items items)
{
    parse->items = items;
}

/* flex counts in int. */
static const char *why_not_scannable(const struct source *source)
{
    return source->text.size >= INT_MAX - 2
               ? "it is larger than 2 GiB; lists that long are read as a table"
               : NULL;
}

static void read_rules(struct parse *parse)
{
    if (!text_check(parse->diag, parse->ast->sources, parse->source))
        return;
    scan_init(&parse->scan, parse->ast, parse->diag, parse->source);
    if (parse->includer != NULL)
        parse->scan.outer_depth =
            parse->includer->scan.outer_depth + parse->includer->scan.depth;
    rules_parse(&parse->scan, parse, parse->ast->arena);
    scan_fini(&parse->scan);
}

static struct span whole(const struct source *source)
{
    return (struct span){ source->at, source->at + (uint32_t)source->text.size };
}

static struct ast_words name_block(struct arena *arena, const char *path)
{
    return ast_words_one(arena, &(struct ast_word){ .text = slice_from_string(path) });
}

static void identify(struct parse *parse, const char *path)
{
    struct stat status;

    if (strcmp(path, "-") != 0 && stat(path, &status) == 0) {
        parse->has_identity = true;
        parse->device = status.st_dev;
        parse->inode = status.st_ino;
    }
}

static void add_file(struct ast *ast, const struct parse *parse)
{
    struct ast_items file =
        ast_block_item(ast->arena, AST_BLOCK_FILE, whole(parse->source),
                       name_block(ast->arena, parse->source->path), parse->items);
    struct ast_items files =
        ast_items_join((struct ast_items){ ast->files->items, ast->files->last }, file);

    ast->files->items = files.first;
    ast->files->last = files.last;
}

static bool read_file(struct parse *parse, const char *path, const char **reason)
{
    const char *why;

    identify(parse, path);
    parse->source = source_open(parse->ast->sources, path, reason);
    if (parse->source == NULL)
        return false;
    why = why_not_scannable(parse->source);
    if (why != NULL) {
        *reason = why;
        return false;
    }
    read_rules(parse);
    add_file(parse->ast, parse);
    return true;
}

bool parse_file(struct ast *ast, struct diag *diag, const char *path, const char **reason)
{
    return read_file(&(struct parse){ .ast = ast, .diag = diag }, path, reason);
}

bool parse_file_alone(struct ast *ast, struct diag *diag, const char *path,
                      const char **reason)
{
    return read_file(&(struct parse){ .ast = ast, .diag = diag, .is_alone = true }, path,
                     reason);
}

void parse_text(struct ast *ast, struct diag *diag, const char *path, struct slice text)
{
    struct parse parse = { .ast = ast,
                           .diag = diag,
                           .source = source_add_copy(ast->sources, path, text) };

    if (parse.source == NULL || why_not_scannable(parse.source) != NULL)
        return;
    read_rules(&parse);
    add_file(ast, &parse);
}

/* ---- names of other files ---- */

/* The path of a named file, seen from the file that names it. */
static const char *find_path(const struct parse *parse, struct slice name)
{
    const char *here = parse->source->path;
    const char *slash = strrchr(here, '/');

    if (slash == NULL || (name.size > 0 && name.data[0] == '/'))
        return arena_string(parse->ast->arena, name);
    return arena_printf(parse->ast->arena, "%.*s%.*s", (int)(slash + 1 - here), here,
                        (int)name.size, name.data);
}

/* How the file came to be read, from the inside out. */
static void note_includers(const struct parse *parse)
{
    for (const struct parse *file = parse; file->includer != NULL; file = file->includer)
        diag_note(file->diag, file->include_span, "\"%s\" is included here",
                  file->source->path);
}

static bool goes_round(const struct parse *parse, const struct parse *included)
{
    for (const struct parse *file = parse; file != NULL; file = file->includer)
        if (included->has_identity && file->has_identity && file->device == included->device &&
            file->inode == included->inode)
            return true;
    return false;
}

/* True where one more file may be read; else that is said once, for all that follows would be
 * left out too. */
static bool has_room(struct parse *parse, struct span span)
{
    struct parse *first = parse;

    if (source_count(parse->ast->sources) < PARSE_FILE_LIMIT)
        return true;
    while (first->includer != NULL)
        first = first->includer;
    if (!first->is_full)
        diag_error(parse->diag, DIAG_TOO_MANY_FILES, span,
                   "this and all further files are left out: there are more than %d in this "
                   "compilation",
                   PARSE_FILE_LIMIT);
    first->is_full = true;
    return false;
}

static struct ast_items include_one(struct parse *parse, const struct ast_word *word,
                                    const char *path)
{
    struct arena *arena = parse->ast->arena;
    struct parse file = { .ast = parse->ast,
                          .diag = parse->diag,
                          .includer = parse,
                          .include_span = word->span,
                          .include_depth = parse->include_depth + 1 };
    const char *reason = NULL;

    identify(&file, path);
    if (goes_round(parse, &file)) {
        diag_error(parse->diag, DIAG_INCLUDE_LOOP, word->span,
                   "including \"%s\" here goes round in a circle", path);
        note_includers(parse);
        return (struct ast_items){ NULL, NULL };
    }
    if (!has_room(parse, word->span))
        return (struct ast_items){ NULL, NULL };
    file.source = source_open(parse->ast->sources, path, &reason);
    if (file.source != NULL)
        reason = why_not_scannable(file.source);
    if (reason != NULL) {
        diag_error(parse->diag, DIAG_INCLUDE_UNREADABLE, word->span, "cannot read \"%s\": %s",
                   path, reason);
        return (struct ast_items){ NULL, NULL };
    }
    read_rules(&file);
    return ast_block_item(arena, AST_BLOCK_INCLUDE, whole(file.source),
                          name_block(arena, file.source->path), file.items);
}

static int compare_paths(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

static struct ast_items include_all(struct parse *parse, const struct ast_word *word,
                                    const char *pattern)
{
    struct ast_items items = { NULL, NULL };
    glob_t found;
    int status = glob(pattern, GLOB_NOSORT, NULL, &found);

    if (status == GLOB_NOMATCH) {
        diag_warning(parse->diag, DIAG_INCLUDE_EMPTY, word->span, "no file matches \"%s\"",
                     pattern);
        return items;
    }
    if (status != 0) {
        diag_error(parse->diag, DIAG_INCLUDE_UNREADABLE, word->span,
                   "cannot look for \"%s\": %s", pattern,
                   status == GLOB_NOSPACE ? "out of memory" : "a folder cannot be read");
        return items;
    }
    /* Byte order, whatever the locale is. */
    qsort(found.gl_pathv, found.gl_pathc, sizeof(*found.gl_pathv), compare_paths);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path =
            arena_string(parse->ast->arena, slice_from_string(found.gl_pathv[i]));

        items = ast_items_join(items, include_one(parse, word, path));
    }
    globfree(&found);
    return items;
}

struct ast_items parse_include(struct parse *parse, const struct ast_word *word)
{
    const char *path = find_path(parse, word->text);

    if (parse->is_alone)
        return (struct ast_items){ NULL, NULL };
    if (word->text.size == 0) {
        diag_error(parse->diag, DIAG_INCLUDE_UNREADABLE, word->span, "this names no file");
        return (struct ast_items){ NULL, NULL };
    }
    if (parse->include_depth == PARSE_INCLUDE_LIMIT) {
        diag_error(parse->diag, DIAG_INCLUDE_TOO_DEEP, word->span,
                   "files include each other more than %d deep, \"%s\" is left out",
                   PARSE_INCLUDE_LIMIT, path);
        note_includers(parse);
        return (struct ast_items){ NULL, NULL };
    }
    if (strpbrk(path, "*?[") != NULL)
        return include_all(parse, word, path);
    return include_one(parse, word, path);
}

const struct source *parse_table(struct parse *parse, const struct ast_word *word)
{
    const char *path = find_path(parse, word->text);
    const struct source *source;
    const char *reason;

    if (parse->is_alone)
        return NULL;
    if (word->text.size == 0) {
        diag_error(parse->diag, DIAG_TABLE_UNREADABLE, word->span, "this names no file");
        return NULL;
    }
    if (!has_room(parse, word->span))
        return NULL;
    source = source_open(parse->ast->sources, path, &reason);
    if (source == NULL) {
        diag_error(parse->diag, DIAG_TABLE_UNREADABLE, word->span,
                   "cannot read the table \"%s\": %s", path, reason);
        return NULL;
    }
    return text_check(parse->diag, parse->ast->sources, source) ? source : NULL;
}
