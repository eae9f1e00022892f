/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* Syslog's facilities and severities by their names (RFC 5424 6.2.1, syslog(3)). */

#define PRIORITY_FACILITIES 24 /* 0 to 23 */
#define PRIORITY_SEVERITIES 8  /* 0 to 7 */

/* "auth" or "AUTH" is 4; also a number in range. The facility, or -EINVAL. */
int priority_facility(const char *s, size_t len);

/* "warning" or "warn" is 4; also a number in range. The severity, or -EINVAL. */
int priority_severity(const char *s, size_t len);

/* "auth"; NULL when there is no such facility. */
const char *priority_facility_name(int facility);
