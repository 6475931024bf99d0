// One block of a ConvNet: it convolves, keeps the largest sum of each square of `pool`
// by `pool`, normalises and rectifies. Maps are (rows, columns, channels) here.

import { CHANNELS, PLACES, kernel } from "./kernel.js";

const EPSILON = 1e-5; // torch's own, of batch normalisation

export class Block {
  /** `of` gives the weights under a name, `before` is the side of the maps that come. */
  constructor(of, before, padding, pool) {
    const { shape: [outputs, inputs, side], data } = of("0.weight");
    const width = before + 2 * padding;
    const after = width - side + 1;
    Object.assign(this, { inputs, outputs, before, padding, pool, width, after });
    this.size = [outputs, after / pool, after / pool];

    const counts = [data.length, after * after * outputs, width * width * inputs];
    const bytes = 4 * counts.reduce((a, b) => a + b);
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
    this.weights = new Float32Array(memory.buffer, 0, counts[0]);
    this.sums = new Float32Array(memory.buffer, 4 * counts[0], counts[1]);
    this.padded = new Float32Array(memory.buffer, 4 * (counts[0] + counts[1]), counts[2]);
    this.weights.set(packed(data, inputs, side * side));
    this.kernel = kernel(memory, { side, width, inputs, outputs });

    const [gain, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(
      (name) => of(`2.${name}`).data,
    );
    this.scale = gain.map((value, o) => value / Math.sqrt(variance[o] + EPSILON));
    this.shift = bias.map((value, o) => value - mean[o] * this.scale[o]);
  }

  run(maps) {
    const { before, padding, width, inputs, padded } = this;
    for (let row = 0; row < before; row++) {
      const line = maps.subarray(row * before * inputs, (row + 1) * before * inputs);
      padded.set(line, ((row + padding) * width + padding) * inputs);
    }
    this.#convolve();
    return this.#pool();
  }

  #convolve() {
    const { inputs, outputs, width, after, weights, padded, sums } = this;
    const share = 4 * CHANNELS * (weights.length / outputs); // bytes for these channels
    for (let first = 0; first < outputs; first += CHANNELS) {
      for (let row = 0; row < after; row++) {
        for (let column = 0; column < after; column += PLACES) {
          this.kernel(
            padded.byteOffset + 4 * (row * width + column) * inputs,
            weights.byteOffset + share * (first / CHANNELS),
            sums.byteOffset + 4 * ((row * after + column) * outputs + first),
          );
        }
      }
    }
  }

  #pool() {
    const { outputs, pool, after, sums, scale, shift } = this;
    const [, side] = this.size;
    const maps = new Float32Array(side * side * outputs);
    for (let n = 0, place = 0; place < side * side; place++) {
      const [top, left] = [pool * Math.floor(place / side), pool * (place % side)];
      for (let channel = 0; channel < outputs; channel++) {
        let largest = -Infinity;
        for (let i = top; i < top + pool; i++) {
          for (let j = left; j < left + pool; j++) {
            largest = Math.max(largest, sums[(i * after + j) * outputs + channel]);
          }
        }
        maps[n++] = Math.max(largest * scale[channel] + shift[channel], 0);
      }
    }
    return maps;
  }
}

/** (outputs, inputs, area) -> (outputs / 8, area, inputs, 8), as the kernel takes them. */
function packed(weights, inputs, area) {
  const all = new Float32Array(weights.length);
  weights.forEach((weight, n) => {
    const [place, input, output] = [n % area, Math.floor(n / area) % inputs, Math.floor(n / area / inputs)];
    const part = Math.floor(output / CHANNELS);
    all[((part * area + place) * inputs + input) * CHANNELS + (output % CHANNELS)] = weight;
  });
  return all;
}
