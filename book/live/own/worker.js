// A worker: it runs the reader's own network, beside the page.

import { Network, start } from "../engine.js";

let network;

const commands = {
  start,
  async open(file) {
    network = await Network.open(file);
  },
  read: ({ ink, centered }) => network.read(ink, centered),
};

onmessage = async ({ data: [id, name, value] }) => {
  try {
    postMessage([id, await commands[name](value)]);
  } catch (error) {
    postMessage([id, null, error.message]);
  }
};
