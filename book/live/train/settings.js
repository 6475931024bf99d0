// What can be set, ready-made states, and both as text in the page's address.

/**
 * Each setting: its name for readers, the values that it may have, the one it starts
 * with, and whether another value needs a new network.
 */
export const SETTINGS = {
  layers: { label: "Hidden layers", values: [0, 1, 2], start: 1, anew: true },
  neurons: { label: "Neurons", values: [8, 16, 32, 64, 128, 256], start: 128, anew: true },
  activation: { label: "Activation", values: ["ReLU", "tanh", "none"], start: "ReLU", anew: true },
  optimizer: { label: "Optimizer", values: ["Adam", "SGD"], start: "Adam" },
  lr: {
    label: "Learning rate",
    values: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    start: 0.003,
  },
  batch: { label: "Batch size", values: [1, 4, 16, 32, 64, 128, 256], start: 32 },
  momentum: { label: "Momentum", values: [0, 0.5, 0.8, 0.9, 0.95, 0.99], start: 0 },
  decay: { label: "Weight decay", values: [0, 0.001, 0.01, 0.03, 0.1, 0.3, 1], start: 0 },
  digits: { label: "Digits", values: [30, 100, 300, 1000, 3000, 10000], start: 10000 },
  shuffled: { label: "Shuffled labels", values: [false, true], start: false },
  seed: { label: "Seed", values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], start: 0, anew: true },
};

const names = Object.keys(SETTINGS);
const START = Object.fromEntries(names.map((name) => [name, SETTINGS[name].start]));

/** The neurons of the hidden layers; in the second there are half as many. */
export const hiddenSizes = ({ layers, neurons }) => [neurons, neurons / 2].slice(0, layers);

/** States worth showing, with what to look for. */
export const STATES = [
  {
    name: "It learns",
    settings: START,
    look:
      "Random weights turn into strokes and arcs while the loss falls. Draw a digit " +
      "below, and watch how soon the network reads it.",
  },
  {
    name: "Weight decay",
    settings: { ...START, decay: 0.1 },
    look:
      "In every step each weight also shrinks a little. Watch the corners, where no digit " +
      "has ink: their noise fades, and what is of use remains.",
  },
  {
    name: "Too high",
    settings: { ...START, activation: "tanh", optimizer: "SGD", lr: 0.3, momentum: 0.9 },
    look:
      "Each step goes too far, and the loss leaps instead of falling. Lower the " +
      "learning rate to 0.03 while it trains, and it comes down.",
  },
  {
    name: "Dead",
    settings: { ...START, optimizer: "SGD", lr: 3 },
    look:
      "The first steps are so long that nearly all neurons are silent for every digit, " +
      "and the loss stays at that of a blind guess. Lower the learning rate: does it help?",
  },
  {
    name: "Overfitting on 100 digits",
    settings: { ...START, digits: 100 },
    look:
      "Soon every training digit is right, and the training loss still falls. What does " +
      "the validation loss do, and what changes with ten times as many digits?",
  },
  {
    name: "Shuffled labels",
    settings: { ...START, digits: 300, shuffled: true },
    look:
      "The labels are dealt out anew, so there is nothing to learn; yet the training " +
      "accuracy rises. What is the validation accuracy, and why?",
  },
];

/** The settings as an address holds them: those that are not as they start. */
export function write(settings) {
  const changed = names.filter((name) => settings[name] !== START[name]);
  const parts = (changed.length ? changed : ["seed"]).map((name) => `${name}=${settings[name]}`);
  return `#${parts.join("&")}`;
}

/** What write wrote, back to settings; null if an address says something else. */
export function read(hash) {
  const given = new URLSearchParams(hash.slice(1));
  const known = names.filter((name) => given.has(name));
  if (!known.length) return null;
  const settings = { ...START };
  for (const name of known) {
    const { values, start } = SETTINGS[name];
    settings[name] = values.find((value) => String(value) === given.get(name)) ?? start;
  }
  return settings;
}
