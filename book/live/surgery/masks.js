// What the reader has changed: for some maps of some blocks, what they say instead.

import { a } from "../dom.js";

export class Masks {
  /** What digits.json says: the maps' size and means; of each digit, its sample's maps. */
  constructor({ sizes, means }, donors) {
    Object.assign(this, { sizes, means, donors });
    this.cuts = means.map(() => new Map());
  }

  get none() {
    return this.cuts.every((cuts) => cuts.size === 0);
  }

  clear() {
    for (const cuts of this.cuts) cuts.clear();
  }

  /** All maps of the block that are changed say this now. */
  become(block, kind, factor) {
    const cuts = this.cuts[block];
    for (const channel of cuts.keys()) cuts.set(channel, { kind, factor });
  }

  /** Change a map; if it is changed so already, mend it. */
  toggle(block, channel, kind, factor) {
    const cuts = this.cuts[block];
    const before = cuts.get(channel);
    if (before?.kind === kind && before.factor === factor) cuts.delete(channel);
    else cuts.set(channel, { kind, factor });
  }

  /** A factor for each map, and an offset for each of its places, block after block. */
  numbers() {
    let changes = "";
    return this.sizes.map((size, block) => {
      const [count, height, width] = size;
      const area = height * width;
      const scale = new Float32Array(count).fill(1);
      const shift = new Float32Array(count * area);
      for (const [channel, { kind, factor }] of this.cuts[block]) {
        const [from, to] = [channel * area, (channel + 1) * area];
        scale[channel] = kind === "times" ? factor : 0;
        if (kind === "mean") shift.fill(this.means[block][channel], from, to);
        if (kind === "donor") shift.set(this.donors[factor][block].data.subarray(from, to), from);
      }
      changes += JSON.stringify([...this.cuts[block]]); // this block's and all before
      return { scale, shift, changes };
    });
  }

  /** The same, with one map more replaced by its mean. */
  without(block, channel) {
    const masks = new Masks(this, this.donors);
    masks.cuts = this.cuts.map((cuts) => new Map(cuts));
    masks.cuts[block].set(channel, { kind: "mean" });
    return masks.numbers();
  }

  /** What one map says instead, in words; "" if it is as it was. */
  word(block, channel) {
    const cut = this.cuts[block].get(channel);
    return cut ? phrase(cut) : "";
  }

  /** Everything that is changed, in one sentence. */
  sentence() {
    if (this.none) return "The network is whole.";
    const blocks = this.cuts.map((cuts, block) => {
      const groups = {};
      for (const [channel, cut] of [...cuts].sort(([a], [b]) => a - b)) (groups[phrase(cut)] ??= []).push(channel);
      const parts = Object.entries(groups).map(
        ([words, maps]) => `${maps.length > 1 ? "maps" : "map"} ${list(maps)} ${words}`,
      );
      return parts.length ? `Block ${block + 1}: ${parts.join("; ")}.` : "";
    });
    return blocks.filter(Boolean).join(" ");
  }
}

const PHRASES = {
  mean: () => "off (mean)",
  zero: () => "off (zero)",
  times: (factor) => `times ${factor}`.replace("-", "−"),
  donor: (digit) => `from ${a(digit)}`,
};
const phrase = ({ kind, factor }) => PHRASES[kind](factor);

/** 1, 2 and 3. */
function list(items) {
  if (items.length < 2) return String(items[0]);
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
