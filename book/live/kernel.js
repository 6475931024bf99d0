// The inner loop of a convolution in WebAssembly, written here byte by byte: its vector
// instructions work on four numbers at once, and JavaScript has none.
//
// One call sums the products under the window at six neighbouring places of a row, for
// eight channels: twelve sums of four numbers, which stay in the processor's registers.

export const PLACES = 6;
export const CHANNELS = 8;

const [I32, V128] = [0x7f, 0x7b]; // types: a whole number, four numbers
const [X, W, Y, END, W0, W1, SUMS] = [0, 1, 2, 3, 4, 5, 6]; // parameters and variables
const get = (variable) => [0x20, variable];
const set = (variable) => [0x21, variable];
const plus = (variable, bytes) => [get(variable), 0x41, whole(bytes), 0x6a];
const load = (address, offset) => [get(address), 0xfd, 0x00, 0, natural(offset)];
const loadOneFourTimes = (address, offset) => [get(address), 0xfd, 0x09, 0, natural(offset)];
const STORE = [0xfd, 0x0b, 0];
const TIMES = [0xfd, 0xe6, 0x01];
const PLUS = [0xfd, 0xe4, 0x01];
const TIMES_PLUS = [0xfd, 0x85, 0x02]; // in one step: a third faster, not in all browsers
const [LOOP, END_LOOP] = [[0x03, 0x40], [0x49, 0x0d, 0, 0x0b]]; // again, if a < b

/**
 * A function of three addresses in this memory: of what lies under the first window, of
 * the weights, (rows, columns, inputs, 8), and of the first place's sums.
 *
 * Maps lie there as (rows, columns, channels): `inputs` channels and `width` columns under
 * the window, which has `side` rows and columns, and `outputs` channels of sums.
 */
export function kernel(memory, sizes) {
  const both = [true, false].map((fused) => module(sizes, fused));
  const bytes = both.find((each) => WebAssembly.validate(each));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { m: memory } }).exports.f;
}

function module({ side, width, inputs, outputs }, fused) {
  const line = side * inputs; // numbers in one row of the window
  const sums = Array.from({ length: 2 * PLACES }, (_, n) => {
    const [place, half] = [Math.floor(n / 2), n % 2];
    return { sum: SUMS + n, place, half };
  });
  const row = [
    [plus(W, line * CHANNELS * 4), set(END)],
    LOOP,
    [load(W, 0), set(W0), load(W, 16), set(W1)],
    sums.map(({ sum, place, half }) => [
      [loadOneFourTimes(X, place * inputs * 4), get(half ? W1 : W0)],
      fused ? [get(sum), TIMES_PLUS] : [TIMES, get(sum), PLUS],
      set(sum),
    ]),
    [plus(X, 4), set(X), plus(W, CHANNELS * 4), set(W)],
    [get(W), get(END), END_LOOP],
    [plus(X, (width * inputs - line) * 4), set(X)],
  ];
  const store = sums.map(({ sum, place, half }) => [
    [get(Y), get(sum), STORE, natural((place * outputs + half * 4) * 4)],
  ]);
  const variables = [2, 1, I32, 2 + sums.length, V128];
  const body = [variables, Array(side).fill(row), store, 0x0b].flat(Infinity);
  const parts = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    section(1, [1, 0x60, 3, I32, I32, I32, 0]), // a type: three addresses, no result
    section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]), // import e.m, the memory
    section(3, [1, 0]), // a function of that type
    section(7, [1, 1, 0x66, 0, 0]), // export it as f
    section(10, [1, natural(body.length), body]),
  ];
  return new Uint8Array(parts.flat(Infinity));
}

function section(name, content) {
  const bytes = content.flat(Infinity);
  return [name, natural(bytes.length), bytes];
}

/** Numbers as WebAssembly has them, seven bits to a byte; of a whole one the last is the sign. */
const natural = (n) => (n < 128 ? [n] : [(n & 127) | 128, natural(n >>> 7)]);
const whole = (n) => (n < 64 ? [n] : [(n & 127) | 128, whole(n >>> 7)]);
