// The reader's own network. It may take for ever, or all the memory that it gets: so it
// runs in a worker, which is ended when it gives no answer within five seconds.

import { Remote } from "../train/remote.js";

const MOST = 5000; // milliseconds

/** A network that has been ended, in a sentence. */
export class Ended extends Error {}

export class Own {
  constructor(file) {
    this.file = file;
    this.name = file.name;
  }

  /** Start it; an Error with one sentence if its file does not fit. */
  async open() {
    this.remote = new Remote(new URL("worker.js", import.meta.url));
    try {
      await this.#start();
      await this.#ask("open", this.file);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** What Network.read gives; one that was ended starts anew. */
  async read(ink, centered) {
    if (!this.remote) await this.open();
    return this.#ask("read", { ink, centered });
  }

  /** Fetch the engine: it is ours, and may take its time. */
  #start() {
    return this.remote.ask("start").catch((error) => {
      console.error(error);
      throw new Error("What runs your own model could not be loaded: check the connection, then choose the file again.");
    });
  }

  #ask(name, value) {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#end();
        reject(new Ended(`${this.name} gave no answer within five seconds and was ended: choose another network.`));
      }, MOST);
      this.remote.ask(name, value).then(resolve, reject).finally(() => clearTimeout(limit));
    });
  }

  #end() {
    this.remote?.close();
    this.remote = null;
  }
}
