// A network as an ONNX file, which many programs run: its protocol buffers, by hand.
//
// A message is a row of fields. Each begins with a number, 8 × its tag + its kind: 0 for
// an integer, 2 for bytes, which are a text, numbers or another message. The tags are
// those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

import { hiddenSizes } from "./settings.js";

const [OPSET, IR] = [17, 8];
const FLOAT = 1; // the kind of tensors
const OPERATORS = { ReLU: "Relu", tanh: "Tanh" };

/** An integer from 0 in groups of seven bits, the lowest first; a 1 before says: more. */
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

/** A field: an integer, a text, bytes, or a message. */
function field(tag, value) {
  if (typeof value === "number") return Uint8Array.from([...varint(8 * tag), ...varint(value)]);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return message(Uint8Array.from([...varint(8 * tag + 2), ...varint(bytes.length)]), bytes);
}

/** Fields, one after the other. */
function message(...fields) {
  const all = new Uint8Array(fields.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const each of fields) {
    all.set(each, end);
    end += each.length;
  }
  return all;
}

/** A TensorProto of floats. */
const tensor = (name, shape, { buffer, byteOffset, byteLength }) =>
  message(...shape.map((size) => field(1, size)), field(2, FLOAT), field(8, name), field(9, new Uint8Array(buffer, byteOffset, byteLength)));

/** A NodeProto: an operator of these inputs. */
const node = (operator, inputs, output) =>
  message(...inputs.map((name) => field(1, name)), field(2, output), field(4, operator));

/** A ValueInfoProto of floats (n, …shape), for any n. */
function value(name, shape) {
  const sizes = [field(2, "n"), ...shape.map((size) => field(1, size))];
  const dimensions = message(...sizes.map((size) => field(1, size)));
  return message(field(1, name), field(2, field(1, message(field(1, FLOAT), field(2, dimensions)))));
}

/**
 * Parameters in their order, weight (D, K), bias (K,) and so on, to the bytes of a file.
 * Its `digit`, (n, 1, 28, 28) in [0, 1], is what mnistedu.export calls so, and so are its
 * `logits`, (n, 10). The network was trained on such digits: nothing is to be normalised.
 */
export function onnx(parameters, settings) {
  const sizes = [28 * 28, ...hiddenSizes(settings), 10];
  const tensors = [];
  const nodes = [node("Flatten", ["digit"], "x0")];
  sizes.slice(1).forEach((K, i) => {
    const last = i === sizes.length - 2;
    const [weight, bias] = [`${i + 1}.weight`, `${i + 1}.bias`];
    const operator = !last && OPERATORS[settings.activation];
    const output = last ? "logits" : operator ? `z${i + 1}` : `x${i + 1}`;
    tensors.push(tensor(weight, [sizes[i], K], parameters[2 * i]), tensor(bias, [K], parameters[2 * i + 1]));
    nodes.push(node("Gemm", [`x${i}`, weight, bias], output)); // x W + b
    if (operator) nodes.push(node(operator, [output], `x${i + 1}`));
  });
  const graph = message(
    ...nodes.map((each) => field(1, each)),
    field(2, "trained here"),
    ...tensors.map((each) => field(5, each)),
    field(11, value("digit", [1, 28, 28])),
    field(12, value("logits", [10])),
  );
  const opset = message(field(1, ""), field(2, OPSET));
  return new Blob([message(field(1, IR), field(2, "mnistedu"), field(7, graph), field(8, opset))]);
}
