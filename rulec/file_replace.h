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

#endif
