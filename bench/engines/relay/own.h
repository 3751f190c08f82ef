/*
 * This machine's own IPv4 addresses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RELAY_OWN_H
#define RELAY_OWN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether @address, in host order, is this machine's. The list of addresses is
 * read again after a second, as interfaces come and go. If it cannot be read,
 * every address counts as this machine's.
 */
bool own_address(uint32_t address);

#endif
