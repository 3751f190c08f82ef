/*
 * The module around the functions: the sections before and behind the code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_MODULE_H
#define TW_EMIT_MODULE_H

#include "emit-buf.h"
#include "emit-group.h"
#include "emit-types.h"
#include "plan-regions.h"

/* Bytes that the sections before the code take at most, without their code. */
size_t tw_module_head_size(const TwGroup *group, const TwTypes *types);

/*
 * Write all sections before the code, and the code section's own head. Returns
 * where its contents start, for tw_patch_size() behind the last function. The
 * caller has made room.
 */
size_t tw_put_module_head(TwBuf *out, const TwGroup *group,
                          const TwTypes *types);

/*
 * Write the custom section "name", for profilers: the guest address of each TB,
 * and whether its function is a region (@regions, or NULL). False if memory is
 * short.
 */
bool tw_put_names(TwBuf *out, const TwGroup *group, const TwRegions *regions);

#endif
