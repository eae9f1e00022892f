/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#define SCHEMA_APPLICATION "1398033220" /* "STKD", PRAGMA application_id */
#define SCHEMA_VERSION 4                /* PRAGMA user_version */
#define SCHEMA_VERSION_TEXT "4"

/* schema_steps[n] makes version n + 1 out of version n; version 0 is an empty file. */
extern const char *const schema_steps[SCHEMA_VERSION];
