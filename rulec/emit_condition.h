/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions to programs, with the zones and regexes that they name. Private to emit*.c. */
#ifndef RULEC_EMIT_CONDITION_H
#define RULEC_EMIT_CONDITION_H

#include "rulec/emit_build.h"

/* At in CONDITIONS; 0: the action has none. */
uint32_t emit_conditions(struct emit_build *build, const struct plan_action *action);

#endif
