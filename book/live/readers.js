// Three readers of a digit, 28 × 28 in [0, 1]: each a function that promises { answer, sure }.

import { percent } from "./bars.js";
import { number } from "./dom.js";
import { nearest } from "./nearest.js";
import { Ours } from "./ours.js";
import { load } from "./train/digits.js";
import { Linear, ReLU, Sequential, softmax } from "./train/layers.js";
import { Remote } from "./train/remote.js";
import { STATES, hiddenSizes } from "./train/settings.js";

const TRAIN = new URL("train/", import.meta.url);
const SIDE = 28;
const EPOCHS = 3;

const surest = (probabilities) => {
  const answer = probabilities.indexOf(Math.max(...probabilities));
  return { answer, probabilities, sure: `${percent(probabilities[answer])} sure` };
};

/** The nearest of the training digits. */
export async function neighbour() {
  const { train } = await load(TRAIN);
  return async (digit) => {
    const [{ target, distance }] = nearest(train, digit, 1);
    return { answer: target, sure: `${number(distance, 1)} away` };
  };
}

/** An MLP that is trained on them now; say(sentence) is told how far it is. */
export async function mlp(say) {
  const remote = new Remote(new URL("worker.js", TRAIN));
  try {
    const settings = { ...STATES[0].settings, neurons: 64 }; // 128 would take twice the time
    await remote.ask("load", TRAIN.href);
    await remote.ask("reset", settings);
    await remote.ask("play", true);
    for (let epochs = 0; epochs < EPOCHS; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ({ epochs } = await remote.ask("look"));
      say(`learns: epoch ${Math.min(Math.floor(epochs) + 1, EPOCHS)} of ${EPOCHS} …`);
    }
    await remote.ask("play", false);
    const network = build(hiddenSizes(settings), await remote.ask("save"));
    return async (digit) => surest(softmax(network.forward(digit)));
  } finally {
    remote.close();
  }
}

function build(hidden, parameters) {
  const sizes = [SIDE * SIDE, ...hidden, 10];
  const layers = sizes.slice(1).flatMap((size, i) => [new Linear(sizes[i], size, Math.random), new ReLU()]);
  const network = new Sequential(...layers.slice(0, -1)); // logits are not rectified
  network.parameters().forEach(({ value }, i) => value.set(parameters[i]));
  return network;
}

/** The ConvNet that the course ships. */
export async function convnet() {
  const network = await Ours.first();
  return async (digit) => {
    const { probabilities, doubt } = network.see(digit);
    return { ...surest(probabilities), doubt };
  };
}
