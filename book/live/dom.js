// One short way to make an element.

/** An element with attributes, listeners (onclick: …) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A digit, as one speaks of it. */
export const a = (digit) => (digit === 8 ? "an 8" : `a ${digit}`);

/** Whether the reader has asked their system for less motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A number as the course writes it, with a true minus sign. */
export const number = (value, digits = 2) =>
  value.toFixed(digits).replace(/^-(?=.*[1-9])/, "−").replace(/^-/, "");

/** The same with a plus sign. */
export const signed = (value, digits = 2) => `${value < 0 ? "" : "+"}${number(value, digits)}`;
