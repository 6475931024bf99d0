// Starts what lives in a page, or says what is missing. It is no module,
// because a page that was opened as a file loads none, and then somebody has to speak.
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
  const stand = (place, why) => {
    place.classList.add("still");
    place.querySelector("figcaption").textContent = why;
  };
  const start = (place) =>
    import(new URL(place.dataset.module, folder)).then(
      ({ mount }) => mount(place),
      () => stand(place, "What belongs here could not be loaded: reload the page to try again."),
    );
  // A figure starts when it comes near.
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target } of entries.filter(({ isIntersecting }) => isIntersecting)) {
        near.unobserve(target);
        start(target);
      }
    },
    { rootMargin: "100%" },
  );
  for (const place of document.querySelectorAll("[data-module]")) {
    if (missing) stand(place, missing);
    else if (place.dataset.figure) near.observe(place);
    else start(place);
  }
}
