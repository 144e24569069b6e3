/* SPDX-License-Identifier: Apache-2.0 */
/* Host words of `site`, authorities of absolute sources and hosts of targets, in their
 * normal form. */
#ifndef RULEC_LOWER_HOST_H
#define RULEC_LOWER_HOST_H

#include "rulec/lower_context.h"

enum {
    LOWER_HOST_LIMIT = 1024, /* hosts of one site, closed sets expanded */
    LOWER_HOST_SET_LIMIT = 8 /* closed sets of one host */
};

/* The hosts of a `site` block -> its number. False: a mistake was reported. */
bool lower_site(struct lower *lower, const struct ast_word *words, struct span span,
                uint32_t *site);

/* `authority` of an absolute source -> the site its rule belongs to. default_port: of the
 * scheme written, 0 for none; it says nothing where it is written out. is_pattern: stars and
 * closed sets mean something. */
bool lower_site_of_source(struct lower *lower, const struct lower_scope *scope,
                          struct lower_word word, struct slice authority, uint16_t default_port,
                          bool is_pattern, uint32_t *site);

/* A host with non-ASCII letters as A-labels (in the arena); ASCII ones come back as they
 * are. NULL data: it cannot be converted, and *reason says why. */
struct slice lower_host_to_ascii(struct lower *lower, struct slice host, const char **reason);

/* The IPv6 address in its one short form (in the arena). False: it is none. */
bool lower_host_ipv6(struct lower *lower, struct slice text, struct slice *normal);

/* Digits -> 1..65535. */
bool lower_port(struct slice digits, uint16_t *port);

/* True where one of the site's hosts is exactly this one. */
bool lower_site_names(const struct plan *plan, uint32_t site, struct slice host);

#endif
