/* SPDX-License-Identifier: Apache-2.0 */
/* The methods that rules tell apart: a loop may be one for some of them only. */
#ifndef RULEC_LOOP_METHODS_H
#define RULEC_LOOP_METHODS_H

#include "rulec/plan.h"

enum { LOOP_METHODS_LIMIT = 16 };

/* Stands for all methods that no rule names. POST is one of them where no rule names it: a 301 or 302 makes a GET of it,
 * and what every other answer makes of it is what it makes of them. */
#define LOOP_OTHER_METHOD SLICE("X-OTHER")

/* GET first, which stands for HEAD, too. The texts are the plan's. */
struct loop_methods {
    struct slice items[LOOP_METHODS_LIMIT];
    unsigned count;
    bool is_cut_short; /* rules name more */
};

/* GET alone. */
void loop_methods_init(struct loop_methods *methods);
/* Names that a rule asks for, and with them LOOP_OTHER_METHOD. */
void loop_methods_add(struct loop_methods *methods, const struct slice *names, uint32_t count);
/* All that conditions and lines of `by method` name. */
void loop_methods_find(struct loop_methods *methods, const struct plan *plan);

#endif
