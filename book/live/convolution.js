// The sum behind one number of a feature map, from the weights that the chapters load.

import { fetched } from "./contents.js";

const MEAN = 0.1307; // those of mnistedu.preprocess.normalize
const STD = 0.3081;

/** Read a safetensors file: a length, a header in JSON, and the numbers. */
export async function readWeights(address) {
  const buffer = await (await fetched(address)).arrayBuffer();
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const weights = {};
  for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries(header)) {
    if (dtype !== "F32") continue;
    const [start, end] = ends.map((offset) => 8 + length + offset);
    weights[name] = { shape, data: new Float32Array(buffer.slice(start, end)) };
  }
  return weights;
}

/** A digit, 28 × 28 in [0, 1], as the first block takes it. */
export const normalized = (digit) => ({
  data: digit.map((value) => (value - MEAN) / STD),
  size: [1, 28, 28],
});

/**
 * How a block makes the number in row and column of one of its maps, out of the maps
 * that it takes: the window that won the pooling, what each input map adds to its sum,
 * and what batch normalisation makes of it.
 */
export function explain(weights, block, channel, row, column, input, output) {
  const of = (name) => weights[`blocks.${block}.${name}`];
  const { shape, data: kernels } = of("0.weight");
  const [, channels, side] = shape;
  const [, height, width] = input.size;
  // How wide the border is and whether the block pools follows from the sizes.
  const pool = [1, 2].find((p) => border(p) >= 0 && Number.isInteger(border(p)));
  function border(p) {
    return (output.size[1] * p + side - 1 - height) / 2;
  }
  const padding = border(pool);

  const value = (c, i, j) =>
    i < 0 || j < 0 || i >= height || j >= width
      ? 0
      : input.data[(c * height + i) * width + j];
  const kernel = (c, i, j) => kernels[((channel * channels + c) * side + i) * side + j];
  const grid = (f) =>
    Array.from({ length: side }, (_, i) => Array.from({ length: side }, (_, j) => f(i, j)));

  let best;
  for (let place = 0; place < pool * pool; place++) {
    const top = row * pool + Math.floor(place / pool) - padding;
    const left = column * pool + (place % pool) - padding;
    const added = Array.from({ length: channels }, (_, c) => {
      let sum = 0;
      grid((i, j) => (sum += value(c, top + i, left + j) * kernel(c, i, j)));
      return sum;
    });
    const sum = added.reduce((a, b) => a + b);
    if (!best || sum > best.sum) best = { top, left, added, sum };
  }
  const one = (name) => of(name).data[channel];
  const spread = Math.sqrt(one("2.running_var") + 1e-5); // torch's own epsilon
  const normal = ((best.sum - one("2.running_mean")) / spread) * one("2.weight") + one("2.bias");
  return {
    ...best,
    side,
    pool,
    window: (c) => grid((i, j) => value(c, best.top + i, best.left + j)),
    kernel: (c) => grid((i, j) => kernel(c, i, j)),
    normal,
    result: Math.max(normal, 0),
  };
}
