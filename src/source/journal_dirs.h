/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * libsystemd sees what happens in a journal's directory, but not one that comes later or is removed
 * and made anew: this watches the way to it.
 */

/* Where the machine's journal lies (systemd-journald.service(8)), ended by NULL. */
extern const char *const journal_system_dirs[];

/* A non-blocking inotify descriptor, or -errno. */
int journal_dirs_open(void);

/* Watches every existing directory above each of dirs (ended by NULL); again after one appeared. */
void journal_dirs_watch(int fd, const char *const *dirs);

/* Reads what happened: has something come that lies on the way to one of dirs? */
bool journal_dirs_changed(int fd, const char *const *dirs);
