/* SPDX-License-Identifier: Apache-2.0 */
/* Sources to bytes, in one call: what compile, check, test, explain, answer and diff share. */
#ifndef RULEC_COMPILATION_H
#define RULEC_COMPILATION_H

#include "grammar/ast.h"
#include "grammar/diag.h"
#include "rulec/emit.h"
#include "rulec/flatten.h"
#include "rulec/plan.h"

struct compilation {
    struct arena *arena;
    struct source_set *sources;
    struct diag *diag;
    struct ast *ast;         /* what was read: the summary counts its lines */
    struct plan *plan;
    struct emit_result file; /* size 0 where there are errors */
    struct ruleset *ruleset; /* `file`, opened; NULL where there are errors */
    struct flatten_changes flattened; /* where that was asked for */
    const char *failed_path; /* a file of the command line that could not be read, and why (exit 3); else NULL */
    const char *failed_reason;
    struct compilation_times {
        double parse_ms, lower_ms, check_ms, emit_ms; /* wall clock; 0 for what was not reached */
    } times;
};

struct compilation_options {
    bool warnings_are_errors;
    bool is_strict;  /* a review whose day has come is an error; temporary redirects want an end */
    int64_t now_s;   /* Unix time for warnings about dates; 0: the clock's. It never changes the file */
    unsigned thread_count; /* 0: one for each processor */
    bool flattens;   /* chains of redirects become one: see flatten.h */
    struct emit_options emit;
    /* Called once the file's bytes are final, though what asks the file itself has not judged them yet; NULL: nobody. */
    void (*when_laid_out)(void *baton, const struct compilation *compilation);
    void *baton;
};

/* Parses, lowers, checks, emits. True: `file` holds a rule file. False: `diag` or `failed_path` says why. */
bool compilation_run(struct compilation *compilation, char *const *paths, int path_count,
                     const struct compilation_options *options);
void compilation_close(struct compilation *compilation);

#endif
