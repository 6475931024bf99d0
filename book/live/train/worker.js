// The worker: it trains beside the page, which so stays free to answer its reader.

import { load } from "./digits.js";
import { answer } from "./remote.js";
import { Run } from "./run.js";

const SLICE = 40; // milliseconds of training between two looks at the messages
let digits, run, digit;
let playing = false;

/** What the page may ask for. */
const commands = {
  async load(folder) {
    digits = await load(folder);
    return digits.info;
  },
  reset(settings) {
    run = new Run(digits, settings);
    return look();
  },
  set(settings) {
    run.set(settings);
  },
  play(on) {
    if (on && !playing) setTimeout(train);
    playing = on;
    if (!on) run.measure();
    return look();
  },
  step() {
    run.step();
    run.measure();
    return look();
  },
  draw(image) {
    digit = image; // 28 × 28 in [0, 1], or null
    return look();
  },
  look,
  save() {
    return run.network.parameters().map(({ value }) => value);
  },
};

answer(commands);

function train() {
  const end = performance.now() + SLICE;
  while (playing && performance.now() < end) {
    run.step();
    if (run.broken) playing = false;
  }
  if (playing) setTimeout(train);
}

/** All that the page shows. */
function look() {
  const { settings, steps, epochs, points, hardest, dead, broken } = run;
  const [{ weight, outFeatures }] = run.network.layers;
  const answer = digit && run.read(digit);
  return {
    settings, steps, epochs, points, hardest, dead, playing, broken, answer,
    weights: { values: weight.value, count: outFeatures },
  };
}
