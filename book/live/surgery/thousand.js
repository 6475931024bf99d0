// The validation digits, shared out among workers.

import { Remote } from "../train/remote.js";

const PIXELS = 784;
const SLICE = 20; // digits to one question, between which a new operation may begin

export class Thousand {
  turn = 0;

  /** The digits, as train/digits.js gives them. */
  static async start(digits) {
    const thousand = new Thousand();
    const count = digits.targets.length;
    const workers = Math.min(Math.max(navigator.hardwareConcurrency - 1, 2), 4);
    const bound = (i) => Math.round((i * count) / workers);
    thousand.targets = digits.targets;
    thousand.shares = Array.from({ length: workers }, (_, i) => {
      const [first, last] = [bound(i), bound(i + 1)];
      const remote = new Remote(new URL("worker.js", import.meta.url));
      return { remote, first, count: last - first, images: digits.images.slice(first * PIXELS, last * PIXELS) };
    });
    try {
      await Promise.all(
        thousand.shares.map(({ remote, images, count }) => remote.ask("load", { images, count })),
      );
      return thousand;
    } catch (error) {
      for (const { remote } of thousand.shares) remote.close();
      throw error;
    }
  }

  /** Whoever asks first gives way to who asks next. */
  begin() {
    return ++this.turn;
  }

  /** Read the first digits of each share, as large a part of all as `part` says; or null. */
  async read(turn, masks, part, onProgress = () => {}) {
    const tally = new Tally();
    const wanted = this.shares.map(({ count }) => Math.round(count * part));
    const all = wanted.reduce((a, b) => a + b);
    await Promise.all(
      this.shares.map(async ({ remote, first }, i) => {
        for (let from = 0; from < wanted[i] && turn === this.turn; from += SLICE) {
          const to = Math.min(from + SLICE, wanted[i]);
          const logits = await remote.ask("read", { from, to, masks });
          tally.add(logits, this.targets.subarray(first + from, first + to));
          if (turn === this.turn) onProgress(tally.count / all);
        }
      }),
    );
    return turn === this.turn ? tally : null;
  }
}

/** By digit: how many there were, how many were read, and their leads' sum. */
class Tally {
  counts = new Float64Array(10);
  rights = new Float64Array(10);
  leads = new Float64Array(10);

  /** Logits, ten for each digit. */
  add(logits, targets) {
    targets.forEach((target, n) => {
      const own = logits[10 * n + target];
      let other = -Infinity;
      for (let c = 0; c < 10; c++) if (c !== target) other = Math.max(other, logits[10 * n + c]);
      this.counts[target] += 1;
      this.rights[target] += own > other;
      this.leads[target] += own - other;
    });
  }

  get count() {
    return sum(this.counts);
  }

  get accuracy() {
    return sum(this.rights) / this.count;
  }

  /** The mean lead of each digit: its logit over the largest other. */
  get lead() {
    return Array.from(this.leads, (lead, digit) => lead / this.counts[digit]);
  }

  /** The share of each digit that is read. */
  get read() {
    return Array.from(this.rights, (right, digit) => right / this.counts[digit]);
  }
}

const sum = (numbers) => numbers.reduce((a, b) => a + b);
