/* SPDX-License-Identifier: Apache-2.0 */
/* Counted things in messages: "1 rule", "2 rules". */
#ifndef RULEC_PLURAL_H
#define RULEC_PLURAL_H

#include <stdint.h>

static inline const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }

#endif
