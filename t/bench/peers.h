/* SPDX-License-Identifier: Apache-2.0 */
/* What others ask for the same keys: tinycdb, and what mod_rewrite does for a RewriteMap of type dbm (sdbm): a stat(), then
 * the cache that each child keeps of all it was asked, and for what is not in it the file, opened and closed. Each is
 * there where its library was found at configure. */
#ifndef T_BENCH_PEERS_H
#define T_BENCH_PEERS_H

#include "mod_redir307/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct peers;

/* Files of lines "path TAB target"; NULL: not asked. Ends the program where they cannot be read. */
struct peers *peers_open(const char *cdb_keys, const char *dbm_keys);
bool peers_have_cdb(const struct peers *peers);
bool peers_have_dbm(const struct peers *peers);

/* Numbers made of what was found; 1: nothing. */
uint64_t peers_ask_cdb(struct peers *peers, struct slice path);
uint64_t peers_ask_dbm(struct peers *peers, struct slice path);
uint64_t peers_ask_cache(struct peers *peers, struct slice path);
/* From now on the cache knows this path. */
void peers_learn(struct peers *peers, struct slice path);

#endif
