/* SPDX-License-Identifier: Apache-2.0 */
/* Files that lie in memory and have no name: a descriptor hands them to other processes, and the last one that closes
 * or unmaps them frees them. */
#ifndef MOD_REDIR307_MEMORY_FILE_H
#define MOD_REDIR307_MEMORY_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* An empty one, open to read and write, closed on exec; -1 where the system has none to give. */
int memory_file_create(void);

/* One with the first `size` bytes of `file`, which nobody can change any more; -1 where it could not be made. */
int memory_file_copy(int file, uint64_t size);

/* True where nobody can change this file any more, nor cut it short. */
bool memory_file_is_sealed(int file);

#endif
