// What the reader has changed: for some maps of some blocks, what they say instead.

export const KINDS = { mean: "its mean", zero: "zero", times: "times" };

export class Masks {
  /** The mean of each map over many digits, block after block. */
  constructor(means) {
    this.means = means;
    this.cuts = means.map(() => new Map());
  }

  get none() {
    return this.cuts.every((cuts) => cuts.size === 0);
  }

  clear() {
    for (const cuts of this.cuts) cuts.clear();
  }

  /** Change a map; if it is changed so already, mend it. */
  toggle(block, channel, kind, factor) {
    const cuts = this.cuts[block];
    const before = cuts.get(channel);
    if (before?.kind === kind && before.factor === factor) cuts.delete(channel);
    else cuts.set(channel, { kind, factor });
  }

  /** One factor and one offset for each map, block after block. */
  numbers() {
    return this.means.map((means, block) => {
      const scale = new Float32Array(means.length).fill(1);
      const shift = new Float32Array(means.length);
      for (const [channel, { kind, factor }] of this.cuts[block]) {
        scale[channel] = kind === "times" ? factor : 0;
        shift[channel] = kind === "mean" ? means[channel] : 0;
      }
      return { scale, shift };
    });
  }

  /** The same, with one map more replaced by its mean. */
  without(block, channel) {
    const masks = this.numbers();
    masks[block].scale[channel] = 0;
    masks[block].shift[channel] = this.means[block][channel];
    return masks;
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
      const groups = Map.groupBy([...cuts].sort(([a], [b]) => a - b), ([, cut]) => phrase(cut));
      const parts = [...groups].map(([words, maps]) => {
        const numbers = maps.map(([channel]) => channel);
        return `${numbers.length > 1 ? "maps" : "map"} ${list(numbers)} ${words}`;
      });
      return parts.length ? `Block ${block + 1}: ${parts.join("; ")}.` : "";
    });
    return blocks.filter(Boolean).join(" ");
  }
}

const phrase = ({ kind, factor }) =>
  kind === "times" ? `times ${factor}`.replace("-", "−") : kind === "mean" ? "off (mean)" : "off (zero)";

/** 1, 2 and 3. */
function list(items) {
  if (items.length < 2) return String(items[0]);
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
