/* SPDX-License-Identifier: Apache-2.0 */
/* Reading request fields as they really arrive: several lines joined by ", ", blanks, quotes, any case of names.
 * Pure functions over bytes. Private to the engine. */
#ifndef MOD_REDIR307_FIELD_H
#define MOD_REDIR307_FIELD_H

#include "mod_redir307/slice.h"

#include <stdint.h>

/* ASCII letters without case. */
bool field_equal(struct slice a, struct slice b);

/* The first cookie of that name (RFC 6265, 5.4; `;` or `,` between them: httpd joins lines by ", "). Quotes around the
 * value are taken off. False: there is none. */
bool field_cookie(struct slice cookies, struct slice name, struct slice *value);

enum field_list { FIELD_MEDIA_TYPES, FIELD_LANGUAGES };

enum { FIELD_NOT_NAMED = -1 };
/* What Accept or Accept-Language says of a key (lower case): its quality in thousandths by the most specific range that
 * names it, or FIELD_NOT_NAMED (RFC 9110, 12.4.2, 12.5.1, 12.5.4). `*` and the type wildcard do not name it. */
int field_quality(enum field_list list, struct slice field, struct slice key);
/* The quality of the wildcard for everything; 0 where it is not there. An empty field takes everything. */
int field_wildcard_quality(enum field_list list, struct slice field);

#endif
