/* SPDX-License-Identifier: Apache-2.0 */
/* The little that all --json outputs share, over jansson. */
#ifndef RULEC_JSON_OUT_H
#define RULEC_JSON_OUT_H

#include "mod_redir307/slice.h"

#include <jansson.h>
#include <stdbool.h>

/* Any bytes: those that are no UTF-8 become U+FFFD. Never NULL. */
json_t *json_from_slice(struct slice text);
json_t *json_from_text(const char *text);
/* Prints and frees it, with a line end. False: the output failed. */
bool json_print(json_t *value, FILE *out);

#endif
