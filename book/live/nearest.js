// The nearest neighbours of a digit among the training digits, pixel by pixel.

const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** The `count` nearest of { images, targets }, as digits.js unpacks them, to 28 × 28 in [0, 1]. */
export function nearest({ images, targets }, digit, count) {
  const query = Float32Array.from(digit, (value) => 255 * value);
  const found = [];
  for (let n = 0; n < targets.length; n++) {
    const limit = found.length < count ? Infinity : found[count - 1].square;
    const square = squares(images, n * PIXELS, query, limit);
    if (square >= limit) continue;
    const before = found.findIndex((other) => square < other.square);
    found.splice(before < 0 ? found.length : before, 0, { n, square });
    found.length = Math.min(found.length, count);
  }
  return found.map(({ n, square }) => ({
    image: images.subarray(n * PIXELS, (n + 1) * PIXELS),
    target: targets[n],
    distance: Math.sqrt(square) / 255,
  }));
}

/** The sum of the squared differences, unless a part of it is too much already. */
function squares(images, first, query, limit) {
  let sum = 0;
  for (let i = 0; i < PIXELS && sum < limit; ) {
    for (const end = i + SIDE; i < end; i++) sum += (images[first + i] - query[i]) ** 2;
  }
  return sum;
}

/** How far apart two digits are, 28 × 28 in [0, 1] each. */
export const distance = (a, b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0));

/** The targets and their votes, the most first; of as many the one that came first. */
export function vote(neighbours) {
  const counts = new Map();
  for (const { target } of neighbours) counts.set(target, (counts.get(target) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
