/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions, `by` forms and expectations compare with: methods, media types, languages, cookies, addresses,
 * shares. Each is judged and brought into the form in which the engine compares it. */
#ifndef RULEC_LOWER_OPERAND_H
#define RULEC_LOWER_OPERAND_H

#include "rulec/lower_context.h"

/* Proposes the text in capitals. */
void lower_help_capitals(struct lower *lower, struct slice text);

/* All of these: false after a reported mistake. */

/* HEAD becomes GET (docs/language.md, "Conditions"); a method with small letters is a warning. */
bool lower_method(struct lower *lower, const struct ast_word *word, struct slice *method);
/* "type/subtype", lower case, without wildcards and parameters. */
bool lower_media_type(struct lower *lower, const struct ast_word *word, struct slice *type);
/* RFC 5646, 2.1, loosely: "de", "de-CH", "zh-Hant-TW"; lower case. */
bool lower_language(struct lower *lower, const struct ast_word *word, struct slice *language);
/* `what` names it in messages: "cookie", "environment variable". */
bool lower_token(struct lower *lower, const struct ast_word *word, const char *what);
/* What a field, a cookie or a variable can be: no control byte, no blanks around. */
bool lower_field_value(struct lower *lower, const struct ast_word *word, struct slice *value);
bool lower_cookie_value(struct lower *lower, const struct ast_word *word, struct slice *value);
/* A name or a value of a query, decoded. */
bool lower_query_word(struct lower *lower, const struct ast_word *word, struct slice *decoded);
/* A name and a value of httpd's environment, which may have blanks. */
bool lower_env_name(struct lower *lower, const struct ast_word *word, struct slice *name);
bool lower_env_value(struct lower *lower, const struct ast_word *word, struct slice *value);
/* A flag is the name of a file. */
bool lower_flag(struct lower *lower, const struct ast_word *word, struct slice *flag);
/* "10.0.0.0/8", "2001:db8::/32", one address. IPv4 written inside IPv6 is IPv4. */
bool lower_network(struct lower *lower, const struct ast_word *word,
                   struct plan_network *network);
/* "10%", "0.25%" in millionths, at most all. */
bool lower_share(struct lower *lower, const struct ast_word *word, uint32_t *millionths);
/* "80%", a whole number from `least` to 100. */
bool lower_percent(struct lower *lower, const struct ast_word *word, uint32_t least,
                   uint32_t *percent);
/* Digits alone, from 1 to `most`. */
bool lower_count(struct slice text, uint32_t most, uint32_t *count);

#endif
