// The network in parts, a graph for each block and one for the head. Between two parts
// a mask changes the maps: maps * scale + shift, a factor for each map, and an offset for
// each of its places.

import { center } from "../center.js";
import { open, tensor } from "../engine.js";
import { rasterize } from "../ink.js";

const PIXELS = 28;

export class Parts {
  /** Open the parts that lie beside this file. */
  static async open(names) {
    const parts = new Parts();
    parts.sessions = await Promise.all(names.map((name) => open(new URL(name, import.meta.url).href)));
    return parts;
  }

  /**
   * Run a digit, 28 × 28 numbers in [0, 1], with a mask after each block.
   *
   * Its part of `kept` is what each part gave for this digit: it is used again as far
   * as the masks, from the first block on, are the same.
   */
  async run(digit, masks, kept) {
    for (const [i, session] of this.sessions.entries()) {
      const changes = i > 0 ? masks[i - 1].changes : "";
      if (kept[i]?.changes === changes) continue;
      const feeds =
        i > 0
          ? { maps: kept[i - 1].next_maps, ...masks[i - 1].feeds }
          : { digit: tensor(digit, [1, 1, PIXELS, PIXELS]) };
      kept[i] = { changes, ...(await session.run(feeds)) };
    }
    const { logits, class_maps: heat } = kept.at(-1);
    const maps = kept.slice(0, -1).map(({ next_maps }) => numbers(next_maps));
    return { logits: logits.data, maps, heat: numbers(heat) };
  }
}

const numbers = ({ data, dims }) => ({ data, size: dims.slice(1) });

/** Masks, as Masks.numbers() gives them, for the parts. */
export function prepare(masks) {
  let changes = "";
  return masks.map(({ scale, shift, size, name }) => {
    changes += name; // this block's and those of all before
    return { changes, feeds: { scale: tensor(scale, [size[0], 1, 1]), shift: tensor(shift, size) } };
  });
}

/** What the maps say for the sample strokes of each digit, block after block. */
export async function donors(parts, samples, whole) {
  const found = [];
  for (const strokes of samples) found.push((await parts.run(center(rasterize(strokes)), whole, [])).maps);
  return found;
}
