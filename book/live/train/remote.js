// Questions to a worker, each with its answer; here is the page's side and the worker's.

export class Remote {
  questions = new Map();
  asked = 0;

  constructor(address) {
    this.worker = new Worker(address, { type: "module" });
    this.worker.onmessage = ({ data: [id, answer, fault] }) => {
      const { resolve, reject } = this.questions.get(id);
      this.questions.delete(id);
      if (fault) reject(new Error(fault));
      else resolve(answer);
    };
    this.worker.onerror = () => {
      for (const { reject } of this.questions.values()) reject(new Error("The worker has stopped."));
    };
  }

  ask(name, value) {
    return new Promise((resolve, reject) => {
      this.questions.set(++this.asked, { resolve, reject });
      this.worker.postMessage([this.asked, name, value]);
    });
  }

  close() {
    this.worker.terminate();
  }
}

/** In a worker: do what the page asks for, by its name. */
export function answer(commands) {
  onmessage = async ({ data: [id, name, value] }) => {
    try {
      postMessage([id, await commands[name](value)]);
    } catch (error) {
      postMessage([id, null, error.message]);
    }
  };
}
