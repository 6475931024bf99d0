// One run: a network, the digits that it learns from, and how far it has come.

import { PIXELS, ink } from "./digits.js";
import { Adam, CrossEntropyLoss, Linear, ReLU, SGD, Sequential, Tanh, softmax } from "./layers.js";
import { generator, shuffled } from "./random.js";
import { hiddenSizes } from "./settings.js";

const ACTIVATIONS = { ReLU, tanh: Tanh };
const MOST_POINTS = 241; // of a curve; then every second one goes, and both ends stay
const HARDEST = 10;

export class Run {
  lossFunction = new CrossEntropyLoss();
  steps = 0;
  points = []; // of the curves
  seen = []; // the losses of the digits since the last point
  right = 0; // of those
  order = []; // the digits that are still to come in this epoch
  epochs = 0;

  constructor(digits, settings) {
    this.digits = digits;
    this.inOrder = Array.from(digits.train.targets, (_, i) => i);
    this.validation = ink(digits.val.images, [...digits.val.targets.keys()]);
    this.random = generator(settings.seed);
    this.network = build(settings, this.random);
    this.set(settings);
    this.measure();
  }

  /** Take new settings into the running training. */
  set(settings) {
    const { optimizer, lr, momentum, decay, digits } = settings;
    const { train } = this.digits;
    if (optimizer !== this.settings?.optimizer) {
      const kind = optimizer === "Adam" ? Adam : SGD;
      this.optimizer = new kind(this.network.parameters(), { lr });
    }
    Object.assign(this.optimizer, { lr, momentum, weightDecay: decay });
    if (digits !== this.settings?.digits) {
      this.order = [];
      this.every = Math.min(2 * digits, 2500); // digits from point to point
    }
    this.targets = settings.shuffled ? shuffled(train.targets, generator(1)) : train.targets;
    this.settings = settings;
  }

  /** Learn from one batch. */
  step() {
    const { batch, digits } = this.settings;
    if (!this.order.length) this.order = shuffled(this.inOrder.slice(0, digits), this.random);
    const chosen = this.order.splice(-batch);
    const targets = Uint8Array.from(chosen, (i) => this.targets[i]);
    const logits = this.network.forward(ink(this.digits.train.images, chosen));
    this.seen.push(...this.lossFunction.forward(logits, targets));
    this.right += count(answers(logits), targets);
    this.network.backwardParameters(this.lossFunction.backward());
    this.optimizer.step();
    this.steps++;
    this.epochs += chosen.length / Math.min(digits, this.inOrder.length);
    if (this.seen.length >= this.every) this.measure();
  }

  /** Measure on the validation digits, and add a point to the curves. */
  measure() {
    if (this.points.at(-1)?.step === this.steps) return;
    const { targets } = this.digits.val;
    const logits = this.network.forward(this.validation);
    const losses = new CrossEntropyLoss().forward(logits, targets);
    const right = count(answers(logits), targets);
    const train = { loss: mean(this.seen), accuracy: this.right / this.seen.length };
    const val = { loss: mean(losses), accuracy: right / targets.length };
    this.points.push({ step: this.steps, train, val });
    [this.seen, this.right] = [[], 0];
    this.hardest = this.#hardest(losses, logits);
    this.dead = this.network.layers
      .filter((layer) => layer instanceof ReLU)
      .map((layer, i) => silent(layer.y, hiddenSizes(this.settings)[i]));
    if (this.points.length < MOST_POINTS) return;
    this.points = this.points.filter((_, i) => i % 2 === 0);
    this.every *= 2;
  }

  /** The validation digits with the largest losses, the worst first. */
  #hardest(losses, logits) {
    const { images, targets } = this.digits.val;
    const places = [...losses.keys()].sort((a, b) => losses[b] - losses[a]);
    return places.slice(0, HARDEST).map((place) => {
      const p = softmax(logits.subarray(10 * place, 10 * place + 10));
      const answer = p.indexOf(Math.max(...p));
      const image = images.slice(place * PIXELS, (place + 1) * PIXELS);
      return { image, target: targets[place], answer, probability: p[answer] };
    });
  }

  /** Ten probabilities for one digit, 28 × 28 in [0, 1]. */
  read(digit) {
    return softmax(this.network.forward(Float32Array.from(digit)));
  }

  /** Whether the numbers have grown beyond what a float can hold. */
  get broken() {
    return !Number.isFinite(this.points.at(-1).val.loss);
  }
}

function build(settings, random) {
  const activation = ACTIVATIONS[settings.activation];
  const sizes = [PIXELS, ...hiddenSizes(settings), 10];
  const layers = sizes.slice(1).flatMap((size, i) => {
    const linear = new Linear(sizes[i], size, random);
    return size === 10 || !activation ? [linear] : [linear, new activation()];
  });
  return new Sequential(...layers);
}

/** The place of the largest of each ten logits. */
const answers = (logits) =>
  Array.from({ length: logits.length / 10 }, (_, n) => {
    const row = logits.subarray(10 * n, 10 * n + 10);
    return row.indexOf(Math.max(...row));
  });

const count = (answers, targets) => answers.filter((a, n) => a === targets[n]).length;
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Which of K neurons put out 0 for every one of the images. */
function silent(y, K) {
  const dead = Array(K).fill(true);
  for (let i = 0; i < y.length; i++) if (y[i] > 0) dead[i % K] = false;
  return dead;
}
