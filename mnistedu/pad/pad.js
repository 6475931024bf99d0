// How a drawing program takes the mouse, where ipycanvas does not. Once for all pads.
if (!window.mnisteduPads) {
  window.mnisteduPads = true;
  const listen = (kind, act) =>
    window.addEventListener(
      kind,
      (event) => event.target.closest?.(".mnistedu-pad canvas") && act(event),
      true, // before ipycanvas does
    );

  // Off the sheet a stroke goes on, until the button is released.
  listen("pointerdown", (event) => {
    if (event.button === 0) event.target.setPointerCapture(event.pointerId);
  });
  // A sheet of which a part is out of sight stays where it is.
  listen("mousedown", (event) => event.target.focus({ preventScroll: true }));
  // Only the left button draws.
  for (const kind of ["mousedown", "mouseup"]) {
    listen(kind, (event) => event.button !== 0 && event.stopPropagation());
  }
}
