/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones out of the system's data (TZif, RFC 8536): the folder that TZDIR names, else the usual ones. There is no
 * data of our own, but UTC needs none. */
#ifndef RULEC_ZONE_READ_H
#define RULEC_ZONE_READ_H

#include "rulec/plan.h"

enum zone_read_status {
    ZONE_READ_OK,
    ZONE_READ_BAD_NAME, /* no name of a zone: "../x", "localtime" */
    ZONE_READ_UNKNOWN,  /* the data has no such zone */
    ZONE_READ_NO_DATA,  /* there is no zone data at all */
    ZONE_READ_BROKEN    /* unreadable, or no good TZif: *reason */
};

/* Fills all but the name; arrays in the arena. `reason`: static or arena text, set for ZONE_READ_BROKEN only. */
enum zone_read_status zone_read(struct arena *arena, struct slice name, struct plan_zone *zone,
                                const char **reason);
/* The same from the bytes of a file. False: *reason. */
bool zone_read_bytes(struct arena *arena, struct slice bytes, struct plan_zone *zone,
                     const char **reason);
/* A POSIX TZ rule ("CET-1CEST,M3.5.0,M10.5.0/3"), the last line of such a file. False: it is none. */
bool zone_read_rule(struct slice text, struct plan_zone *zone);
/* The known name nearest to what was written; NULL: none is near. */
const char *zone_read_nearest(struct arena *arena, struct slice name);

#endif
