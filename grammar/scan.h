/* SPDX-License-Identifier: Apache-2.0 */
/* From words to lines and blocks: scanner.l says what a word is, scan.c where a line ends, how
 * deep the blocks are, and what is left out after a mistake. Inside grammar/ only. */
#ifndef GRAMMAR_SCAN_H
#define GRAMMAR_SCAN_H

#include "grammar/ast.h"
#include "grammar/diag.h"
#include "grammar/parse.h"

enum { SCAN_LINE_ROOM = 4096 };

struct scan {
    struct arena *arena;
    struct diag *diag;
    const struct source *source;
    void *flex;

    unsigned outer_depth; /* blocks around this file: it may be included in one */
    unsigned depth;       /* open braces of this file */
    struct span open[PARSE_NESTING_LIMIT];
    /* Sites and groups; other braces hold clauses, choices, fields. */
    bool holds_items[PARSE_NESTING_LIMIT];
    /* While not 0, all is left out until the brace that opened this depth is closed. */
    unsigned skip_depth;
    bool skips_next_block; /* the line has a mistake, so its block would only echo it */

    int line_first;      /* first token of the line; 0: none yet */
    int last;            /* the token before */
    bool line_has_error; /* one lexical message a line is enough */
    bool line_has_arrow;
    uint32_t odd_block_at; /* the brace of a block that was said to hold clauses only; 0: none */
    uint32_t no_block_at;  /* a line ended here where its block should begin; 0: none did */
    bool is_closing;       /* the line before a `}` was ended; the brace itself comes next */
    struct span closing_span;
    bool is_at_end;
    struct ast_line *lines; /* SCAN_LINE_ROOM of them, for scan_lines() */
};

/* `source` has a source_buffer(), and stays as it is while the scan is open. */
void scan_init(struct scan *scan, const struct ast *ast, struct diag *diag,
               const struct source *source);
void scan_fini(struct scan *scan);

/* After a mistake at the token just read (`at_end_of_line`: it was the line's end): what
 * follows on the line is left out by the parser, its block by the scan, unless the block can
 * hold rules that deserve a look. */
void scan_recover(struct scan *scan, bool at_end_of_line);

/* A mistake in a word: true where it is to be reported, being the first of its line and not in
 * what is left out. */
bool scan_begin_error(struct scan *scan);

/* The text of a place of this source. */
struct slice scan_text(const struct scan *scan, struct span span);

/* ---- scanner.l, for scan_lines.c ---- */
/* What was not read yet, up to the two NUL bytes behind the text; and how to go on from there. */
char *scan_rest(const struct scan *scan);
void scan_skip_to(const struct scan *scan, char *at);

/* ---- scan_lines.c ---- */
/* At the start of a line where rules may stand: the lines from there on that are plain, as many as
 * fit into scan->lines. False: the first one is not. */
bool scan_lines(struct scan *scan, struct span *span, struct ast_lines *lines);

/* ---- scan_word.c, for scanner.l ---- */
/* Each reports, and returns the token that starts the grammar's recovery. */
int scan_long_word(struct scan *scan, struct span span);
/* *good_size: bytes of the word that are spent; a brace glued to its end is read again, as one
 * that stands alone. */
int scan_bad_word(struct scan *scan, struct span span, int *good_size);
int scan_open_string(struct scan *scan, struct span span);
int scan_bad_string_end(struct scan *scan, struct span span);
/* Undoes escapes; `is_regex`: only \" is one (an escaped backslash stays two bytes: it is the
 * regex's own). */
bool scan_string(struct scan *scan, struct span span, bool is_regex, struct ast_word *word);

#endif
