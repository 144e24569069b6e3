/* SPDX-License-Identifier: Apache-2.0 */
/* One table says which words there are and what each sends (docs/language.md, "Status"). */
#include "config.h"

#include "rulec/lower_status.h"

#include "grammar/suggest.h"

static const struct status_word {
    const char *word;
    struct lower_status plain;
    struct lower_status older; /* with `auto`; zero: it takes none */
} status_words[] = {
    { "temporary", { .get = 307, .other = 307 }, { .get = 302, .other = 307 } },
    { "permanent", { .get = 308, .other = 308 }, { .get = 301, .other = 308 } },
    { "found", { .get = 302, .other = 302 }, { 0 } },
    { "moved", { .get = 301, .other = 301 }, { 0 } },
    { "see-other", { .get = 303, .other = 303 }, { 0 } },
    { "gone", { .get = 410, .other = 410 }, { 0 } },
    { "unavailable-for-legal-reasons", { .get = 451, .other = 451 }, { 0 } },
    { "pass", { .is_pass = true }, { 0 } },
    { "301", { .get = 301, .other = 301 }, { 0 } },
    { "302", { .get = 302, .other = 302 }, { 0 } },
    { "303", { .get = 303, .other = 303 }, { 0 } },
    { "307", { .get = 307, .other = 307 }, { 0 } },
    { "308", { .get = 308, .other = 308 }, { 0 } },
    { "403", { .get = 403, .other = 403 }, { 0 } },
    { "404", { .get = 404, .other = 404 }, { 0 } },
    { "406", { .get = 406, .other = 406 }, { 0 } },
    { "410", { .get = 410, .other = 410 }, { 0 } },
    { "451", { .get = 451, .other = 451 }, { 0 } },
    { "503", { .get = 503, .other = 503 }, { 0 } },
};
enum { STATUS_WORD_COUNT = sizeof(status_words) / sizeof(status_words[0]) };

const struct lower_status lower_status_default = { .get = 307, .other = 307 };

static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.size > 0;
}

static bool unknown_status(struct lower *lower, struct lower_word word)
{
    if (is_number(word.text)) {
        diag_error(lower->diag, DIAG_UNKNOWN_STATUS, word.span,
                   "status %.*s is not one that a rule can send", LOWER_SHOW(word.text));
        diag_help(lower->diag,
                  "301 302 303 307 308 stand with a target, 403 404 406 410 451 503 without");
        return false;
    }
    struct suggest suggest = { .word = word.text };
    for (size_t i = 0; i < STATUS_WORD_COUNT; i++)
        suggest_try(&suggest, status_words[i].word);
    diag_error(lower->diag, DIAG_UNKNOWN_STATUS, word.span, "unknown status \"%.*s\"",
               LOWER_SHOW(word.text));
    if (slice_starts_with(word.text, SLICE("->")))
        diag_help(lower->diag, "\"->\" stands between blanks");
    else if (suggest.best)
        diag_help(lower->diag, "did you mean \"%s\"?", suggest.best);
    else
        diag_help(lower->diag, "there are temporary, permanent, found, moved, see-other, gone, "
                               "unavailable-for-legal-reasons, pass, and numbers");
    return false;
}

bool lower_status_words(struct lower *lower, struct lower_word first,
                        const struct lower_word *second, struct lower_status *status)
{
    const struct status_word *found = NULL;

    for (size_t i = 0; i < STATUS_WORD_COUNT && !found; i++) {
        if (slice_equal(first.text, slice_from_string(status_words[i].word)))
            found = &status_words[i];
    }
    if (!found)
        return unknown_status(lower, first);
    if (!second) {
        *status = found->plain;
        return true;
    }
    if (!slice_equal(second->text, SLICE("auto"))) {
        diag_error(lower->diag, DIAG_UNKNOWN_STATUS, second->span,
                   "\"%.*s\" does not follow a status", LOWER_SHOW(second->text));
        diag_help(lower->diag,
                  "only \"auto\" may stand there, behind \"temporary\" or \"permanent\"");
        return false;
    }
    if (!found->older.get) {
        diag_error(lower->diag, DIAG_UNKNOWN_STATUS, second->span,
                   "\"auto\" follows only \"temporary\" and \"permanent\": \"%s\" says its "
                   "code already",
                   found->word);
        return false;
    }
    *status = found->older;
    return true;
}

bool lower_status_of(struct lower *lower, const struct ast_word *words,
                     struct lower_status *status)
{
    if (!words->next)
        return lower_status_words(lower, lower_word_of(words), NULL, status);
    struct lower_word second = lower_word_of(words->next);
    if (words->next->next) {
        const struct ast_word *third = words->next->next;
        diag_error(lower->diag, DIAG_UNKNOWN_STATUS, third->span,
                   "\"%.*s\" is one word too many behind a status", LOWER_SHOW(third->text));
        return false;
    }
    return lower_status_words(lower, lower_word_of(words), &second, status);
}

bool lower_status_redirects(const struct lower_status *status)
{
    return !status->is_pass && status->get >= 300 && status->get < 400;
}

bool lower_status_fits(struct lower *lower, const struct lower_status *status, bool has_target,
                       struct span span)
{
    if (lower_status_redirects(status) == has_target)
        return true;
    if (has_target) {
        if (status->is_pass) {
            diag_error(lower->diag, DIAG_UNEXPECTED_TARGET, span,
                       "\"pass\" leaves the request to the server and takes no target");
        } else {
            diag_error(lower->diag, DIAG_UNEXPECTED_TARGET, span,
                       "status %u is no redirect and takes no target", (unsigned)status->get);
        }
        diag_help(lower->diag,
                  "leave the target away, or give the rule a status of a redirect");
        return false;
    }
    diag_error(lower->diag, DIAG_MISSING_TARGET, span,
               "status %u is a redirect and needs a target", (unsigned)status->get);
    diag_help(lower->diag, "write \"-> TARGET\", or \"gone\" where there is nothing to go to");
    return false;
}
