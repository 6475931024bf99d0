// The digits that lie beside this file: what book/extensions/live_train.py wrote.

import { fetched } from "../contents.js";

export const PIXELS = 28 * 28;

/** Whose digits they are and how many, as digits.json says it; and the digits. */
export async function load(folder) {
  const info = await (await fetched(new URL("digits.json", folder))).json();
  const { body } = await fetched(new URL("digits.bin", folder));
  const unpacked = new Response(body.pipeThrough(new DecompressionStream("deflate")));
  return { info, ...unpack(new Uint8Array(await unpacked.arrayBuffer()), info) };
}

/** First all images, a byte for each pixel, then all targets. */
function unpack(bytes, { train, val }) {
  const split = (first, count) => ({
    images: bytes.subarray(first * PIXELS, (first + count) * PIXELS),
    targets: bytes.subarray((train + val) * PIXELS).subarray(first, first + count),
  });
  return { train: split(0, train), val: split(train, val) };
}

/** Some images as a network takes them, (N, 784), from 0, paper, to 1, ink. */
export function ink(images, chosen) {
  const x = new Float32Array(chosen.length * PIXELS);
  chosen.forEach((image, n) => {
    const [from, to] = [image * PIXELS, n * PIXELS];
    for (let i = 0; i < PIXELS; i++) x[to + i] = images[from + i] / 255;
  });
  return x;
}
