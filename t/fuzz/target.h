/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target is: one file that defines both functions, driven by libFuzzer or by replay.c. What must hold is
 * said by fuzz_claim(). */
#ifndef T_FUZZ_TARGET_H
#define T_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's names. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static inline void fuzz_claim_at(const char *file, int line, int holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}
#define fuzz_claim(holds, what) fuzz_claim_at(__FILE__, __LINE__, (holds) ? 1 : 0, (what))

#endif
