/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a file whole or not at all. */
#ifndef RULEC_FILE_REPLACE_H
#define RULEC_FILE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes beside `path`, syncs and renames, so that a half-written file never exists under that
 * name. `-` is standard output. False: nothing changed at `path`, *reason (static or strerror
 * text) says why. */
bool file_replace(const char *path, const void *bytes, size_t size, mode_t mode,
                  const char **reason);

/* The same in two steps, so that who is not yet sure of the bytes can let them be written meanwhile. `path` and `bytes`
 * stay as they are until the second step; what fails is told there. Nothing is to be seen before it, where the file
 * system can hold a file without a name. */
struct file_replacement;
enum file_replace_when { FILE_REPLACE_AT_END, FILE_REPLACE_MEANWHILE /* by a thread; not to standard output */ };
struct file_replacement *file_replace_begin(const char *path, const void *bytes, size_t size, mode_t mode,
                                            enum file_replace_when when);
bool file_replace_end(struct file_replacement *replacement, const char **reason);
/* Instead of the end: nothing is left. NULL is allowed. */
void file_replace_drop(struct file_replacement *replacement);

#endif
