"""A pen for the pads without a browser: events as ipycanvas's page sends them."""

from collections.abc import Sequence

from ipywidgets import HTML, Widget

from mnistedu.pad.sheet import Sheet
from mnistedu.strokes import Point

ZERO = [
    (140 + 60 * dx, 140 + 90 * dy)
    for dx, dy in [
        (0, -1), (-0.6, -0.8), (-0.95, -0.3), (-0.95, 0.3), (-0.6, 0.8), (0, 1),
        (0.6, 0.8), (0.95, 0.3), (0.95, -0.3), (0.6, -0.8), (0, -1),
    ]
]  # fmt: skip
ONE = [(150, 40), (144, 110), (138, 180), (132, 240)]
SEVEN = [(78, 72), (130, 66), (200, 62), (185, 110), (160, 160), (138, 215)]


def send(sheet: Sheet, event: str, *points: Point) -> None:
    """One event, as the page sends it."""
    content: dict[str, object] = {"event": event}
    if event.startswith("touch"):
        content["touches"] = [{"x": x, "y": y} for x, y in points]
    else:
        content["x"], content["y"] = points[0]
    sheet._canvas._handle_custom_msg(content, [])


def press(sheet: Sheet, key: str, *modifiers: str) -> None:
    """A key, while the canvas has the focus."""
    content: dict[str, object] = {"event": "key_down", "key": key}
    for modifier in ("shift", "ctrl", "meta"):
        content[f"{modifier}_key"] = modifier in modifiers
    sheet._canvas._handle_custom_msg(content, [])


def draw(sheet: Sheet, points: Sequence[Point]) -> None:
    send(sheet, "mouse_down", points[0])
    for point in points[1:]:
        send(sheet, "mouse_move", point)
    send(sheet, "mouse_up", points[-1])


def touch(sheet: Sheet, points: Sequence[Point]) -> None:
    send(sheet, "touch_start", points[0])
    for point in points[1:]:
        send(sheet, "touch_move", point)
    send(sheet, "touch_end")


def parts(widget: Widget, kind: type) -> list[Widget]:
    found = [widget] if isinstance(widget, kind) else []
    for child in getattr(widget, "children", ()):
        found += parts(child, kind)
    return found


def page(sheet: Sheet) -> str:
    """The HTML that a sheet shows."""
    return "".join(html.value for html in parts(sheet, HTML))
