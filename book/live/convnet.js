// A ConvNet of mnistedu.models, out of the weights in a safetensors file.

import { Block } from "./block.js";

const PADDING = [0, 2, 1, 1]; // of the blocks, as mnistedu.models has them
const POOL = [2, 2, 1, 1];

export class ConvNet {
  blocks = [];

  constructor(weights) {
    let side = 28;
    for (let i = 0; `blocks.${i}.0.weight` in weights; i++) {
      this.blocks.push(new Block((name) => weights[`blocks.${i}.${name}`], side, PADDING[i], POOL[i]));
      [, side] = this.blocks[i].size;
    }
    this.bias = weights["head.bias"].data;
    this.head = spread(weights["head.weight"], this.blocks.at(-1).size);
  }

  /** A normalised digit to the logits, and to maps and class maps, their channels first. */
  run(image) {
    let last = image;
    const maps = this.blocks.map((block) => {
      last = block.run(last);
      return { data: turned(last, block.size), size: block.size };
    });
    return { maps, ...this.answer(last) };
  }

  /** What each place of the last maps adds to each class's logit, and the logits. */
  answer(last) {
    const { head } = this;
    const [count, height, width] = this.blocks.at(-1).size;
    const maps = turned(last, [count, height, width]);
    const area = height * width;
    const heat = new Float32Array(10 * area);
    const logits = this.bias.map((bias, digit) => {
      const own = heat.subarray(digit * area, (digit + 1) * area);
      for (let channel = 0; channel < count; channel++) {
        const weights = (digit * count + channel) * area;
        for (let place = 0; place < area; place++) {
          own[place] += head[weights + place] * maps[channel * area + place];
        }
      }
      return own.reduce((a, b) => a + b, bias);
    });
    return { logits, heat: { data: heat, size: [10, height, width] } };
  }
}

/** The head's weights for each place of each map: (10, count * area). */
function spread({ shape: [, each], data }, [count, height, width]) {
  const area = height * width;
  if (each > count) return data;
  return Float32Array.from({ length: 10 * count * area }, (_, n) => data[Math.floor(n / area)] / area);
}

/** (rows, columns, channels) -> (channels, rows, columns). */
export function turned(maps, [count, height, width]) {
  const all = new Float32Array(maps.length);
  const area = height * width;
  for (let place = 0, n = 0; place < area; place++) {
    for (let channel = 0; channel < count; channel++) all[channel * area + place] = maps[n++];
  }
  return all;
}
