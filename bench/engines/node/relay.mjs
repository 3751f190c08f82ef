/*
 * The guest's network, if the harness started a relay for it. The relay's
 * address is a secret, so it comes in a variable and not as an option.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { Network } from '../js/network.mjs';

/** @import { Part } from './part.d.ts' */

const ADDRESS = process.env.TIERLAB_NETWORK;

/** @type {Network | null} */
let network = null;

/** @type {Part} */
export const relayPart = {
    options: {},

    started(module) {
        if (ADDRESS) {
            network = new Network(module, ADDRESS, (why) => {
                process.stderr.write("tierlab: the network relay is gone " +
                    `(${why}): the guest's link is down\n`);
            });
        }
    },

    ended() {
        network?.close();
    },
};
