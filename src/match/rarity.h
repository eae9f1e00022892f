/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * How rare a piece of text is in logs, in bits: one that has n is guessed to stand in one line of
 * 2^n. Letters count most, digits and blanks least; the words that every log is full of ("from",
 * "user", "failed", "sshd") count little, however long they are; what stands beside the rarest word
 * of a piece counts half, since words come in phrases. In large letters only those are common that
 * are written so ("GET"). A word at an end of the piece may go on beyond it: "uthentication" is as
 * common as "authentication".
 */
unsigned rarity_bits(const char *text, size_t len);
