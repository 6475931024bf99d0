// The engine, onnxruntime-web, which runs any ONNX file: for the reader's own network. It
// is fetched at the first call, from the folder in which this file lies.

import { center, shrink } from "./center.js";
import { fetched } from "./contents.js";
import { SIZE } from "./ink.js";
import { softmax } from "./softmax.js";

const PIXELS = 28;
const at = (name) => new URL(name, import.meta.url).href;
let ort;

/** Fetch and start the engine. */
export async function start() {
  const [module, wasm] = await Promise.all([
    import(at("ort.wasm.bundle.min.mjs")),
    fetched(at("ort-wasm-simd-threaded.wasm")),
  ]);
  ort = module;
  ort.env.wasm.numThreads = 1; // more need headers that a host of files does not send
  ort.env.wasm.wasmBinary = await wasm.arrayBuffer();
  await open(new Uint8Array()).catch(() => {}); // no graph, but the engine is compiled
}

/** The reader's own network, from an ONNX file of mnistedu.export or of the trainer. */
export class Network {
  constructor(session, name) {
    Object.assign(this, { session, name });
  }

  /** An Error with one sentence if the file does not fit. */
  static async open(file) {
    const how = 'write it with mnistedu.export.export_onnx(model, "mine.onnx").';
    let session;
    try {
      session = await open(new Uint8Array(await file.arrayBuffer()));
    } catch {
      throw new Error(`${file.name} is no ONNX file that this page can run: ${how}`);
    }
    const [takes, gives] = [session.inputNames, session.outputNames];
    const missing = takes.includes("digit") // the trainer's: the page scales and centres for it
      ? ["logits"].find((name) => !gives.includes(name))
      : (["canvas"].find((name) => !takes.includes(name)) ??
        ["digit", "logits"].find((name) => !gives.includes(name)));
    if (missing) {
      throw new Error(
        `${file.name} is an ONNX file, but has no “${missing}”: ${how}`,
      );
    }
    const network = new Network(session, file.name);
    let said = "cannot be run on a canvas of 280 × 280";
    try {
      const { logits } = await network.read(new Float32Array(SIZE * SIZE), true);
      const finite = logits.every(Number.isFinite);
      if (logits.length === 10 && finite) return network;
      said = finite
        ? `gives ${logits.length} logits where there are ten digits`
        : "gives logits that are not finite";
    } catch {
      // It is said below.
    }
    throw new Error(`${file.name} ${said}: ${how}`);
  }

  /** All that the network has to show for ink of 280 × 280. */
  async read(ink, centered) {
    const takes = this.session.inputNames;
    const image = (values, side) => new ort.Tensor("float32", values, [1, 1, side, side]);
    const feeds = takes.includes("digit")
      ? { digit: image(centered ? center(ink) : shrink(ink), PIXELS) }
      : { canvas: image(ink, SIZE) };
    if (takes.includes("centered")) feeds.centered = new ort.Tensor("bool", [centered], []);
    const { digit, logits, class_maps: heat, ...maps } = await this.session.run(feeds);
    return {
      digit: (digit ?? feeds.digit).data,
      logits: logits.data,
      probabilities: softmax(logits.data),
      heat: heat && { ...numbers(heat), limit: Math.max(...heat.data.map(Math.abs)) },
      maps: Object.keys(maps)
        .sort()
        .map((name) => numbers(maps[name])),
      doubt: null, // it is known for the course's own
    };
  }
}

const numbers = ({ data, dims }) => ({ data, size: dims.slice(1) });

const open = (bytes) =>
  ort.InferenceSession.create(bytes, { graphOptimizationLevel: "all" });
