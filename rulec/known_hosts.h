/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts the `site` blocks name: for proofs that follow targets from host to host. */
#ifndef RULEC_KNOWN_HOSTS_H
#define RULEC_KNOWN_HOSTS_H

#include "mod_redir307/url.h"
#include "rulec/plan.h"

struct known_hosts;

struct known_hosts *known_hosts_open(const struct plan *plan);
void known_hosts_close(struct known_hosts *hosts);

/* True where a `site` names the host, or a domain above it. */
bool known_hosts_knows(const struct known_hosts *hosts, struct slice name);
/* True where a redirect from one host to the other stays within the rules: the same host, or one that a `site` names.
 * `site *` alone names none: whether its server answers for another host, the rules do not say. */
bool known_hosts_reach(const struct known_hosts *hosts, struct slice from, struct slice to);

/* True where a target, as it is sent, names a host that no `site` names: who follows it leaves the rules. Quick for
 * lists whose targets are on few hosts. */
bool known_hosts_leave(struct known_hosts *hosts, struct slice target);

/* A name that the host pattern takes; in `buffer` or the plan. */
struct slice known_hosts_example(const struct plan_host *host, char buffer[URL_HOST_LIMIT + 1]);
/* True for the name that stands for "every host". */
bool known_hosts_is_example(struct slice name);

#endif
