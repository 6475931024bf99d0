// The network, block by block. After each a mask changes the maps: maps * scale + shift, a
// factor for each map, and an offset for each of its places.

import { center } from "../center.js";
import { turned } from "../convnet.js";
import { normalized } from "../convolution.js";
import { rasterize } from "../ink.js";

/**
 * What a ConvNet makes of a digit, 28 × 28 numbers in [0, 1], with a mask after each
 * block, as Masks.numbers() gives them.
 *
 * `kept` holds what each block gave for this digit: it is used again as far as the
 * masks, from the first block on, are the same.
 */
export function run(convnet, digit, masks, kept) {
  const maps = convnet.blocks.map((block, i) => {
    const changes = i > 0 ? masks[i - 1].changes : "";
    if (kept[i]?.changes !== changes) {
      const given = i > 0 ? masked(kept[i - 1].maps, masks[i - 1]) : normalized(digit).data;
      kept[i] = { changes, maps: block.run(given) };
    }
    return { data: turned(kept[i].maps, block.size), size: block.size };
  });
  return { maps, ...convnet.answer(masked(kept.at(-1).maps, masks.at(-1))) };
}

/** Maps, (rows, columns, channels), behind a mask, whose offsets have the channels first. */
function masked(maps, { scale, shift }) {
  const all = new Float32Array(maps.length);
  const area = maps.length / scale.length;
  for (let place = 0, n = 0; place < area; place++) {
    for (let channel = 0; channel < scale.length; channel++, n++) {
      all[n] = maps[n] * scale[channel] + shift[channel * area + place];
    }
  }
  return all;
}

/** What the maps say for the sample strokes of each digit, block after block. */
export const donors = (convnet, samples, whole) =>
  samples.map((strokes) => run(convnet, center(rasterize(strokes)), whole, []).maps);
