/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a compilation, one after the other, each with its time. Mistakes do not stop
 * the reading, so that one run shows many; what judges or writes the whole needs rules
 * without mistakes. */
#include "config.h"

#include "rulec/compilation.h"

#include "grammar/parse.h"
#include "mod_redir307/ruleset.h"
#include "rulec/check.h"
#include "rulec/check_loops.h"
#include "rulec/lower.h"
#include "rulec/met_targets.h"
#include "rulec/parallel.h"

#include <stdlib.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Milliseconds since *since, which becomes now. */
static double lap_ms(double *since)
{
    double now = now_ms(), lap = now - *since;

    *since = now;
    return lap;
}

/* Makes the file in memory and opens it. Its digests were made of the same bytes just now. */
static bool lay_out(struct compilation *compilation, const struct emit_options *options)
{
    enum ruleset_status status;

    if (!emit(compilation->plan, compilation->diag, options, &compilation->file))
        return false;
    status = ruleset_open_again(compilation->file.bytes, compilation->file.size, &compilation->ruleset);
    if (status == RULESET_OK)
        return true;
    compilation->failed_path = "the rule file just made is not good";
    compilation->failed_reason = ruleset_strerror(status);
    return false;
}

static void free_file(struct compilation *compilation)
{
    ruleset_close(compilation->ruleset);
    compilation->ruleset = NULL;
    emit_free(&compilation->file);
}

/* False: what was laid out is not good. */
static bool flatten_file(struct compilation *compilation, const struct emit_options *options)
{
    bool *is_met = met_targets_find(compilation->plan, compilation->ruleset);

    check_loops(compilation->plan, compilation->ruleset, is_met, compilation->diag);
    free(is_met);
    if (diag_error_count(compilation->diag) == 0)
        flatten(compilation->plan, compilation->ruleset, &compilation->flattened);
    if (diag_error_count(compilation->diag) || compilation->flattened.count == 0)
        return diag_error_count(compilation->diag) == 0;
    free_file(compilation);
    return lay_out(compilation, options);
}

bool compilation_run(struct compilation *compilation, char *const *paths, int path_count,
                     const struct compilation_options *options)
{
    double since = now_ms();

    *compilation = (struct compilation){ .arena = arena_open() };
    compilation->sources = source_set_open(compilation->arena);
    compilation->diag = diag_open(compilation->arena, compilation->sources);
    compilation->ast = ast_open(compilation->arena, compilation->sources);
    compilation->plan = plan_open(compilation->arena, compilation->sources);
    if (options->warnings_are_errors)
        diag_warnings_are_errors(compilation->diag);
    if (options->is_strict)
        diag_raise(compilation->diag, DIAG_REVIEW_PASSED);
    compilation->plan->now_s = options->now_s;
    compilation->plan->is_strict = options->is_strict;
    compilation->plan->thread_count = options->thread_count ? options->thread_count : parallel_default_threads();

    for (int i = 0; i < path_count; i++) {
        if (parse_file(compilation->ast, compilation->diag, paths[i],
                       &compilation->failed_reason))
            continue;
        compilation->failed_path = paths[i];
        return false;
    }
    compilation->times.parse_ms = lap_ms(&since);
    lower(compilation->ast, compilation->diag, compilation->plan);
    arena_release(compilation->arena); /* the plan has all that the tree's lines said */
    compilation->times.lower_ms = lap_ms(&since);
    if (diag_error_count(compilation->diag))
        return false;
    bool is_good = check_run(compilation->plan, compilation->diag);
    compilation->times.check_ms = lap_ms(&since);
    if (!is_good || diag_error_count(compilation->diag))
        return false;
    is_good = lay_out(compilation, &options->emit);
    compilation->times.emit_ms = lap_ms(&since);
    if (!is_good)
        return false;
    if (options->flattens && !flatten_file(compilation, &options->emit))
        return false;
    if (options->when_laid_out)
        options->when_laid_out(options->baton, compilation);
    is_good = check_run_file(compilation->plan, compilation->ruleset, compilation->diag);
    compilation->times.check_ms += lap_ms(&since);
    return is_good && diag_error_count(compilation->diag) == 0;
}

void compilation_close(struct compilation *compilation)
{
    free_file(compilation);
    flatten_free(&compilation->flattened);
    plan_close(compilation->plan);
    if (compilation->sources)
        source_set_close(compilation->sources);
    arena_close(compilation->arena);
}
