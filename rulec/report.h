/* SPDX-License-Identifier: Apache-2.0 */
/* What was found in the rules, in forms that programs read. Text for people: diag_print_text. */
#ifndef RULEC_REPORT_H
#define RULEC_REPORT_H

#include "rulec/compilation.h"

#include <jansson.h>
#include <stdio.h>

/* { "diagnostics": [...], "errors": N, "warnings": N, "rules": N } */
json_t *report_json(const struct compilation *compilation);
/* SARIF 2.1.0 (OASIS), as code-scanning services take it. */
json_t *report_sarif(const struct compilation *compilation);
/* Workflow commands of GitHub Actions: one line each, shown beside the changed lines. */
void report_github(const struct compilation *compilation, FILE *out);

#endif
