/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

/* This machine's own addresses, now and as they change. */
struct own;

/* 0 or -errno. */
int own_new(struct own **ret);
void own_free(struct own *o);

/* Readable when an address came or went (rtnetlink(7)), or -1. */
int own_fd(const struct own *o);

/* Reads what the descriptor has and looks again: true if the list is another one now. */
bool own_refresh(struct own *o);

const struct addr *own_list(const struct own *o, size_t *ret_n);
