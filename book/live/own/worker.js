// A worker: it runs the reader's own network, beside the page.

import { Network, start } from "../engine.js";
import { answer } from "../train/remote.js";

let network;

const commands = {
  start,
  async open(file) {
    network = await Network.open(file);
  },
  read: ({ ink, centered }) => network.read(ink, centered),
};

answer(commands);
