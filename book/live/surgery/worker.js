// A worker: it reads its share of the validation digits, beside the page.

import { start } from "../engine.js";
import { ink } from "../train/digits.js";
import { Parts, prepare } from "./network.js";

let parts, digits;

const commands = {
  /** Digits, a byte a pixel, of which this worker reads some at a time. */
  async load({ names, images, count }) {
    await start(() => {});
    parts = await Parts.open(names);
    digits = Array.from({ length: count }, (_, i) => ({ ink: ink(images, [i]), kept: [] }));
  },
  /** The logits of some of them, one after the other: so the engine is fastest. */
  async read({ from, to, masks }) {
    const logits = new Float32Array(10 * (to - from));
    const prepared = prepare(masks);
    for (let i = from; i < to; i++) {
      const { ink, kept } = digits[i];
      logits.set((await parts.run(ink, prepared, kept)).logits, 10 * (i - from));
    }
    return logits;
  },
};

let busy = Promise.resolve(); // one after the other: the engine takes no second digit

onmessage = ({ data: [id, name, value] }) => {
  busy = busy
    .then(() => commands[name](value))
    .then((answer) => postMessage([id, answer]))
    .catch((error) => postMessage([id, null, error.message]));
};
