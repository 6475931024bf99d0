// Which answers a network gives and which it refuses, from its logits alone.

const CLASSES = 10;

/** What it answers to each of N digits, from N × 10 logits, and with what confidence. */
export function read(logits, temperature) {
  const count = logits.length / CLASSES;
  const [answers, confidence] = [new Uint8Array(count), new Float64Array(count)];
  for (let n = 0; n < count; n++) {
    const own = logits.subarray(n * CLASSES, (n + 1) * CLASSES);
    const largest = Math.max(...own);
    answers[n] = own.indexOf(largest);
    confidence[n] = 1 / own.reduce((sum, logit) => sum + Math.exp((logit - largest) / temperature), 0);
  }
  return { answers, confidence };
}

/** All digits, the one with the largest confidence first. */
export const surestFirst = (confidence) => Array.from(confidence, (_, n) => n).sort((a, b) => confidence[b] - confidence[a]);

/** The share of wrong answers among the first k in this order, for each k from 1. */
export function risks(order, wrong) {
  let mistakes = 0;
  return order.map((n, i) => (mistakes += wrong[n]) / (i + 1));
}
