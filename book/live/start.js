// Starts the pads, the trainer and the operating table of a page, or says what is
// missing. It is no module, because a page that was opened as a file loads none, and
// then somebody has to speak.
"use strict";

{
  const folder = new URL(".", document.currentScript.src);
  let missing = "";
  if (location.protocol === "file:") {
    missing =
      "This page was opened as a file, and browsers run no network out of a file. " +
      "Type make serve in the folder of the course, and open the address that it prints.";
  } else if (typeof WebAssembly === "undefined") {
    missing =
      "The network needs WebAssembly, which this browser does not have or has turned " +
      "off: open the page in a current Firefox, Chrome, Edge or Safari.";
  }
  for (const place of document.querySelectorAll(".live-pad")) {
    const module = place.classList.contains("live-train")
      ? "train/train.js"
      : place.classList.contains("live-surgery")
        ? "surgery/surgery.js"
        : "pad.js";
    const stand = (why) => {
      place.classList.add("still");
      place.querySelector("figcaption").textContent = why;
    };
    if (missing) {
      stand(missing);
    } else {
      import(new URL(module, folder)).then(
        ({ mount }) => mount(place),
        () => stand("What belongs here could not be loaded: reload the page to try again."),
      );
    }
  }
}
