// A worker: it reads its share of the validation digits, beside the page.

import { Ours } from "../ours.js";
import { ink } from "../train/digits.js";
import { answer } from "../train/remote.js";
import { run } from "./network.js";

let convnet, digits;

const commands = {
  /** Digits, a byte a pixel, of which this worker reads some at a time. */
  async load({ images, count }) {
    ({ convnet } = await Ours.first());
    digits = Array.from({ length: count }, (_, i) => ({ ink: ink(images, [i]), kept: [] }));
  },
  /** The logits of some of them. */
  read({ from, to, masks }) {
    const logits = new Float32Array(10 * (to - from));
    for (let i = from; i < to; i++) {
      const { ink, kept } = digits[i];
      logits.set(run(convnet, ink, masks, kept).logits, 10 * (i - from));
    }
    return logits;
  },
};

answer(commands);
