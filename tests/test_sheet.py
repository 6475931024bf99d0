"""A sheet without a browser; tests/test_browser.py draws on it in JupyterLab."""

from threading import Thread

import pytest
import torch
from ipycanvas.canvas import COMMANDS
from pen import ONE, SEVEN, draw, press, send, touch

from mnistedu.pad.sheet import UNDOS, Sheet, make_button
from mnistedu.strokes import SIZE, rasterize

COMMAND_NAMES = {number: name for name, number in COMMANDS.items()}


class Recorder(Sheet):
    """A sheet that writes down each ink that it is told of."""

    def __init__(self):
        self.inks = []
        self.button = make_button("Next", lambda: None)
        super().__init__("Title", [self.button], [])

    def _changed(self):
        self.inks.append(self.ink)


@pytest.fixture
def sheet():
    return Recorder()


@pytest.fixture
def focused(sheet, monkeypatch):
    """The buttons that are given the focus."""
    buttons = []
    for button in (sheet._undo, sheet._clear, sheet.button):
        monkeypatch.setattr(button, "focus", lambda b=button: buttons.append(b))
    return buttons


@pytest.mark.parametrize("pen", [draw, touch])
def test_ink_is_that_of_the_strokes(sheet, pen):
    pen(sheet, SEVEN)
    pen(sheet, ONE)
    pen(sheet, [(20, 20)])
    assert torch.equal(sheet.ink, rasterize([SEVEN, ONE, [(20, 20)]]))


def test_tells_of_every_movement(sheet):
    draw(sheet, SEVEN)
    expected = [rasterize([SEVEN[:n]]) for n in range(len(SEVEN) + 1)]
    assert len(sheet.inks) == len(expected)
    assert all(map(torch.equal, sheet.inks, expected))


def test_none_of_200_points_is_lost(sheet):
    points = [(20 + 1.2 * i, 140 + 100 * (i % 7 - 3) / 3) for i in range(200)]
    draw(sheet, points)
    assert torch.equal(sheet.ink, rasterize([points]))


def test_moving_without_pressing_draws_nothing(sheet):
    send(sheet, "mouse_move", (100, 100))
    send(sheet, "mouse_up", (120, 100))
    send(sheet, "touch_end")
    assert not sheet.ink.any()


@pytest.mark.parametrize("event", ["touch_end", "touch_cancel"])
def test_a_lifted_finger_ends_the_stroke(sheet, event):
    send(sheet, "touch_start", (50, 50))
    send(sheet, "touch_move", (50, 200))
    send(sheet, event)
    send(sheet, "touch_move", (250, 250))
    assert torch.equal(sheet.ink, rasterize([[(50, 50), (50, 200)]]))


def test_a_stroke_ends_where_it_leaves_the_canvas(sheet):
    send(sheet, "mouse_down", (200, 100))
    send(sheet, "mouse_move", (270, 100))
    send(sheet, "mouse_out", (295, 100))
    send(sheet, "mouse_move", (250, 250))  # back again, the button perhaps released
    torch.testing.assert_close(sheet.ink, rasterize([[(200, 100), (295, 100)]]))


def test_a_resting_hand_does_not_draw(sheet):
    hand = (400.0, 300.0)
    send(sheet, "touch_start", hand, (50, 50))
    send(sheet, "touch_move", hand, (50, 200))
    assert torch.equal(sheet.ink, rasterize([[(50, 50), (50, 200)]]))


def test_the_brush_is_the_width_of_the_next_stroke(sheet):
    draw(sheet, SEVEN)
    sheet._brush.value = 34
    draw(sheet, ONE)
    expected = torch.maximum(rasterize([SEVEN]), rasterize([ONE], width=34))
    assert torch.equal(sheet.ink, expected)


def test_a_brush_that_changes_in_mid_stroke_waits_for_the_next(sheet):
    send(sheet, "mouse_down", ONE[0])
    sheet._brush.value = 34
    for point in ONE[1:]:
        send(sheet, "mouse_move", point)
    assert torch.equal(sheet.ink, rasterize([ONE]))


def test_undo_takes_back_stroke_by_stroke(sheet):
    draw(sheet, SEVEN)
    draw(sheet, ONE)
    sheet._undo.click()
    assert torch.equal(sheet.ink, rasterize([SEVEN]))
    sheet._undo.click()
    assert not sheet.ink.any()
    told = len(sheet.inks)
    sheet._undo.click()  # there is nothing to take back
    assert not sheet.ink.any() and len(sheet.inks) == told


def test_undo_takes_back_clear_and_other_ink(sheet):
    draw(sheet, SEVEN)
    sheet._clear.click()
    assert not sheet.ink.any()
    sheet.lay(rasterize([ONE]))
    draw(sheet, [(20, 20)])
    expected = [rasterize([ONE]), rasterize([]), rasterize([SEVEN]), rasterize([])]
    for ink in expected:
        sheet.undo()
        assert torch.equal(sheet.ink, ink)


def test_undo_during_a_stroke_ends_it(sheet):
    draw(sheet, SEVEN)
    send(sheet, "mouse_down", (50, 50))
    send(sheet, "mouse_move", (50, 200))
    sheet.undo()
    send(sheet, "mouse_move", (250, 250))
    assert torch.equal(sheet.ink, rasterize([SEVEN]))


def test_only_the_last_strokes_are_kept_for_undo(sheet):
    dots = [(10.0 + i, 100.0) for i in range(UNDOS + 20)]
    for dot in dots:
        draw(sheet, [dot])
    for _ in dots:
        sheet.undo()
    assert torch.equal(sheet.ink, rasterize([[dot] for dot in dots[:20]]))


def test_events_from_two_threads_at_once(sheet):
    columns = [[(x, float(y)) for y in range(40, 240, 5)] for x in (60.0, 220.0)]

    def dots(points):
        for point in points:
            send(sheet, "mouse_down", point)

    threads = [Thread(target=dots, args=(points,)) for points in columns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.equal(
        sheet.ink, rasterize([[p] for points in columns for p in points])
    )


def test_drawing_and_undo_from_two_threads_at_once(sheet):
    draw(sheet, ONE)

    def undo():
        for _ in range(40):
            send(sheet, "mouse_down", (250, 250))
            sheet.undo()

    other = Thread(target=undo)
    other.start()
    for _ in range(40):
        send(sheet, "mouse_down", (30, 30))
        sheet.undo()
    other.join()
    # Each undo takes back one dot, its own or the other's.
    assert torch.equal(sheet.ink, rasterize([ONE]))


@pytest.fixture
def commands(sheet, monkeypatch):
    """What is sent to the page, each a name, its arguments and buffers."""
    sent = []

    def record(command, buffers=()):
        sent.append((COMMAND_NAMES[command[0]], command[1:], buffers))

    monkeypatch.setattr(sheet._canvas._canvas_manager, "_send_custom", record)
    return sent


def test_the_page_shows_each_piece_of_a_stroke(sheet, commands):
    sheet._brush.value = 12
    draw(sheet, ONE)
    assert [name for name, *_ in commands if name != "set"] == [
        "fillCircle", "strokeLines", "strokeLines", "strokeLines",
    ]  # fmt: skip
    (x, y, radius), *_ = next(args for name, args, _ in commands if name[0] == "f")
    assert (x, y, radius) == (*ONE[0], 6)
    last = commands[-1][2][0]
    assert last.tolist() == [list(point) for point in ONE[-2:]]


def test_a_page_that_opens_later_gets_the_ink(sheet, commands):
    draw(sheet, SEVEN)
    commands.clear()
    sheet._canvas._handle_custom_msg({"event": "client_ready"}, [])
    names = [name for name, *_ in commands]
    assert names == ["switchCanvas", *["set"] * 3, "clear", "putImageData"]


@pytest.mark.parametrize("modifiers", [[], ["shift"]])
def test_tab_leads_out_of_the_canvas(sheet, focused, modifiers):
    press(sheet, "Tab", *modifiers)
    assert focused == [sheet._clear if modifiers else sheet.button]


@pytest.mark.parametrize("modifier", ["ctrl", "meta"])
def test_the_usual_keys_undo(sheet, focused, modifier):
    draw(sheet, SEVEN)
    press(sheet, "z")
    assert sheet.ink.any()
    press(sheet, "z", modifier)
    assert not sheet.ink.any() and not focused


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_works_on_one_thread_and_leaves_the_others_theirs(two_threads, sheet):
    counts = []

    def count():
        counts.append(torch.get_num_threads())

    def changed():
        count()
        born_meanwhile = Thread(target=count)
        born_meanwhile.start()
        born_meanwhile.join()

    sheet._changed = changed
    for act in (lambda: draw(sheet, [(20, 20)]), sheet.undo, sheet.clear):
        counts.clear()
        act()
        count()
        assert counts == [1, 2, 2]


def test_repr_holds_nothing_that_varies(sheet):
    draw(sheet, SEVEN)
    assert repr(sheet) == "Recorder()"
    assert sheet._repr_mimebundle_()["text/plain"] == "Recorder()"


def test_the_canvas_has_the_size_of_the_ink(sheet):
    assert sheet._canvas.width == sheet._canvas.height == SIZE
    assert sheet.ink.shape == (1, 1, SIZE, SIZE)
