// A network as a file that mnistedu.checkpoints.load_checkpoint reads.

import { hiddenSizes } from "./settings.js";

const MEAN = 0.1307; // those of mnistedu.preprocess.normalize
const STD = 0.3081;

/** Whether mnistedu's MLP is such a network. */
export const fits = ({ layers, activation }) => layers === 0 || activation === "ReLU";

/**
 * Parameters in their order, weight (D, K), bias (K,) and so on, to the bytes of a file.
 *
 * An MLP takes normalised images z. Ours had ink, x = STD z + MEAN, so that
 * x Wᵀ + b = z (STD W)ᵀ + (b + MEAN W 1).
 */
export function safetensors(parameters, settings) {
  const sizes = [28 * 28, ...hiddenSizes(settings), 10];
  const tensors = {};
  sizes.slice(1).forEach((K, i) => {
    const D = sizes[i];
    const weight = turned(parameters[2 * i], D, K);
    const bias = parameters[2 * i + 1].slice();
    if (i === 0) {
      weight.forEach((value, place) => (bias[Math.floor(place / D)] += MEAN * value));
      weight.forEach((value, place) => (weight[place] = STD * value));
    }
    tensors[`${2 * i + 1}.weight`] = { shape: [K, D], data: weight };
    tensors[`${2 * i + 1}.bias`] = { shape: [K], data: bias };
  });
  const info = { architecture: "MLP", settings: { hidden_sizes: hiddenSizes(settings) } };
  return file(tensors, { mnistedu: JSON.stringify(info) });
}

/** (D, K) -> (K, D). */
const turned = (values, D, K) => values.map((_, place) => values[(place % D) * K + Math.floor(place / D)]);

/** The length of a header in JSON, the header, and the numbers. */
function file(tensors, metadata) {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, (end += data.byteLength)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new BigUint64Array([BigInt(text.length)]);
  return new Blob([length, text, ...Object.values(tensors).map(({ data }) => data)]);
}
