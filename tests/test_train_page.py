"""The trainer in its page of the book: played with in Chromium."""

import importlib
import json
import re
import zlib
from pathlib import Path

import book_site
import onnxruntime
import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from mnistedu.checkpoints import load_checkpoint
from mnistedu.data import Digits
from mnistedu.preprocess import normalize

expect.set_options(timeout=60_000)  # a busy machine takes its time

PAGE = "book/train.html"
WIDE = "document.documentElement.scrollWidth"
# The curves of some losses: words that leave the picture, and those on the last.
CURVES = """async (trainer, losses) => {
    const url = new URL("../_static/live/train/curves.js", location);
    const { Curves } = await import(url);
    const curves = new Curves();
    trainer.querySelector(".curves").after(curves.element);
    curves.show(losses.map((loss, step) => {
        const values = { loss, accuracy: 0.5 };
        return { step, train: values, val: values };
    }));
    const cut = [...curves.element.querySelectorAll("text")].filter((text) => {
        const { x, width } = text.getBBox();
        return x < 0 || x + width > 300;
    });
    const said = [...curves.element.querySelectorAll("figcaption > span")];
    const lists = [cut, said.slice(0, 2)]; // the first two are of the loss
    const words = lists.map((all) => all.map((one) => one.textContent));
    curves.element.remove();
    return words; }"""
# Found and measured in one go: a redrawn picture has new words.
HEIGHTS = """trainer => [...trainer.querySelectorAll(".curves text")].map(
    (word) => parseFloat(getComputedStyle(word).fontSize) * word.getCTM().a)"""
THEME = "theme => document.documentElement.dataset.theme = theme"


@pytest.fixture(scope="module")
def trainer(context: BrowserContext, address: str) -> Locator:
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    return reach(page)


@pytest.fixture(autouse=True)
def as_it_starts(request: pytest.FixtureRequest) -> None:
    """Each test finds the trainer paused, with a new network of the first state."""
    if "trainer" in request.fixturenames:
        trainer = request.getfixturevalue("trainer")
        if trainer.get_by_role("button", name="Pause").count():
            press(trainer, "Pause")
        said = trainer.get_by_role("status")
        for state in ("Too high", "It learns"):
            press(trainer, "Clear")
            expect(said).to_have_text("The sheet is empty.")
            trainer.get_by_role("link", name=state).click()
            expect(said).to_have_text("Press play, and the training begins.")
        expect(trainer).to_have_attribute("data-step", "0")


def reach(page: Page) -> Locator:
    trainer = page.locator(".live-train")
    trainer.get_by_role("button", name="Play").focus()
    expect(trainer).to_have_attribute("data-ready", "")
    return trainer


def press(trainer: Locator, name: str) -> None:
    trainer.get_by_role("button", name=name).click()


def steps(trainer: Locator) -> int:
    return int(trainer.get_attribute("data-step") or "")


def accuracy(trainer: Locator) -> float:
    return float(trainer.get_attribute("data-accuracy") or "")


def test_it_learns_and_reads_what_is_drawn_the_while(trainer: Locator) -> None:
    assert accuracy(trainer) < 0.4
    said = trainer.get_by_role("status")
    trainer.locator(".sheet").focus()
    trainer.page.keyboard.press("1")
    expect(said).to_have_text(re.compile(r"^It reads an? \d\.$"))
    press(trainer, "Play")
    expect(trainer.locator(".says")).to_have_text("1")
    assert trainer.locator(".answer [aria-live]").count() == 0
    expect(trainer.locator("figcaption .val").nth(1)).to_contain_text(
        re.compile(r"validation [89]\d\.\d%")
    )
    expect(said).to_have_text(
        re.compile(r"^Step [\d,]+: [89].*validation digits are right\. It reads a 1\.$")
    )
    press(trainer, "Pause")
    expect(said).to_have_text(re.compile(r"^Paused: .* are right\. It reads a 1\.$"))
    loss = trainer.get_by_role("img", name="Loss over the steps")
    expect(loss).to_have_accessible_name(re.compile(r", lowest 0\.\d+ at step \d"))
    before = steps(trainer)
    assert accuracy(trainer) > 0.7
    caption = trainer.locator(".hardest figcaption").first
    expect(caption).to_have_text(re.compile(r"\d → \d\d+(\.\d)?%"))
    trainer.page.wait_for_timeout(200)
    assert steps(trainer) == before

    press(trainer, "Reset")
    expect(trainer).to_have_attribute("data-step", "0")
    expect(said).to_contain_text("random again")
    press(trainer, "Clear")
    expect(said).to_have_text("The sheet is empty.")


def test_two_digits_are_hardly_one(trainer: Locator) -> None:
    remark = trainer.locator(".remark")
    expect(remark).to_have_text("It can only answer with a digit from 0 to 9.")
    book_site.two_ones(trainer.locator(".sheet"))
    expect(remark).to_have_text("These look like 2 digits: draw one at a time.")
    expect(trainer).to_have_class(re.compile(r"\bdoubted\b"))
    said = trainer.get_by_role("status")
    expect(said).to_have_text(re.compile(r"^It reads an? \d\. These look like 2 "))


def test_a_step_is_one_batch(trainer: Locator) -> None:
    press(trainer, "Step")
    expect(trainer).to_have_attribute("data-step", "1")
    press(trainer, "Step")
    expect(trainer.locator(".where")).to_contain_text("step 2")


def test_by_keyboard_and_without_a_new_start(trainer: Locator) -> None:
    keyboard = trainer.page.keyboard
    trainer.get_by_role("button", name="Step").focus()
    keyboard.press("Space")
    expect(trainer).to_have_attribute("data-step", "1")
    rate = trainer.get_by_role("slider", name="Learning rate")
    rate.focus()
    keyboard.press("ArrowRight")
    expect(rate).to_have_attribute("aria-valuetext", "0.01")
    expect(trainer.page).to_have_url(re.compile("#lr=0.01$"))
    momentum = trainer.get_by_role("slider", name="Momentum")
    expect(momentum).to_be_disabled()  # Adam has it built in
    trainer.get_by_role("combobox", name="Optimizer").select_option("SGD")
    expect(momentum).to_be_enabled()
    trainer.get_by_role("checkbox", name="Shuffled labels").check()
    press(trainer, "Step")
    expect(trainer).to_have_attribute("data-step", "2")  # the same network went on

    trainer.get_by_role("slider", name="Neurons").focus()
    keyboard.press("Home")
    expect(trainer).to_have_attribute("data-step", "0")
    expect(trainer.get_by_role("status")).to_contain_text("A new network")
    address = "#neurons=8&optimizer=SGD&lr=0.01&shuffled=true$"
    expect(trainer.page).to_have_url(re.compile(address))


def test_a_loss_that_is_no_number_any_more_stops_the_training(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    page.goto(f"{address}/{PAGE}#activation=none&optimizer=SGD&lr=10&digits=1000")
    trainer = reach(page)
    trainer.locator(".sheet").focus()
    page.keyboard.press("4")
    expect(trainer).to_have_attribute("data-prediction", re.compile(r"\d"))
    press(trainer, "Play")
    expect(trainer.get_by_role("status")).to_contain_text("no number any more (NaN)")
    expect(trainer.get_by_role("button", name="Play")).to_be_visible()
    expect(trainer.locator(".says")).to_have_text("?")
    shown = trainer.locator(".pad > :not([role=status])").all_inner_texts()
    assert not re.search("NaN|undefined|Infinity", " ".join(shown))
    press(trainer, "Reset")
    expect(trainer).to_have_attribute("data-prediction", re.compile(r"\d"))
    page.close()


def test_an_address_brings_its_state(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(f"{address}/{PAGE}#optimizer=SGD&lr=3")
    trainer = reach(page)
    dead = trainer.get_by_role("link", name="Dead")
    expect(dead).to_have_attribute("aria-current", "true")
    expect(trainer.locator(".look")).to_contain_text("silent for every digit")
    rate = trainer.get_by_role("slider", name="Learning rate")
    expect(rate).to_have_attribute("aria-valuetext", "3")
    assert steps(trainer) == 0  # nothing plays by itself

    heard = book_site.listen(trainer.locator(".look[aria-live=polite]"))
    trainer.get_by_role("link", name="Overfitting on 100 digits").click()
    digits = trainer.get_by_role("slider", name="Digits")
    expect(digits).to_have_attribute("aria-valuetext", "100")
    assert page.url.endswith("#digits=100")
    assert len(heard()) == 1
    assert "What does the validation loss do" in heard()[0]
    page.go_back()
    expect(dead).to_have_attribute("aria-current", "true")
    page.close()


def test_a_state_that_is_chosen_while_the_digits_come_does_not_play(
    browser: Browser, address: str
) -> None:
    context = browser.new_context()  # a page's routes are not for its workers
    held: list[Route] = []
    context.route("**/digits.bin", lambda route: held.append(route))
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    trainer = page.locator(".live-train")
    press(trainer, "Play")
    trainer.get_by_role("link", name="Dead").click()
    said = trainer.get_by_role("status")
    expect(said).to_have_text("Fetching the digits …")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(trainer).to_have_attribute("data-ready", "")
    expect(said).to_have_text("Press play, and the training begins.")
    page.wait_for_timeout(300)
    expect(trainer.get_by_role("button", name="Play")).to_be_visible()
    assert steps(trainer) == 0
    context.close()


def test_a_step_into_nan_says_why(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(f"{address}/{PAGE}#activation=none&optimizer=SGD&lr=10&digits=1000")
    trainer = reach(page)
    said = trainer.get_by_role("status")
    press(trainer, "Play")
    expect(said).to_contain_text("no number any more (NaN)")
    press(trainer, "Step")
    expect(said).to_have_text(re.compile(r"One batch more: .*no number any more"))
    page.close()


def test_back_leads_out_of_a_state(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    trainer = reach(page)
    trainer.get_by_role("link", name="Too high").click()
    look = trainer.locator(".look")
    expect(look).to_contain_text("the loss leaps")
    page.go_back()
    expect(look).to_contain_text("Random weights turn into strokes")
    expect(trainer.get_by_role("slider", name="Learning rate")).to_have_attribute(
        "aria-valuetext", "0.003"
    )
    page.close()


def test_a_slider_that_is_played_with_writes_few_addresses(trainer: Locator) -> None:
    """Safari throws at the hundredth and first of half a minute."""
    page = trainer.page
    page.evaluate(
        """() => {
            const write = history.replaceState
            history.written = 0
            history.replaceState = (...all) => {
                history.written++
                return write.apply(history, all)
            }
        }"""
    )
    rate = trainer.get_by_role("slider", name="Learning rate")
    rate.focus()
    for key in ["ArrowRight", "ArrowLeft"] * 20:
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("#lr=0.01$"))
    assert page.evaluate("history.written") < 20


def saved(trainer: Locator, button: str, folder: Path) -> Path:
    with trainer.page.expect_download() as download:
        press(trainer, button)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_what_is_saved_opens_in_the_package_and_as_onnx(
    trainer: Locator, offline: Digits, tmp_path: Path
) -> None:
    trainer.get_by_role("slider", name="Hidden layers").focus()
    trainer.page.keyboard.press("End")
    press(trainer, "Step")
    press(trainer, "Step")
    expect(trainer).to_have_attribute("data-step", "2")
    network = load_checkpoint(saved(trainer, "Save the network", tmp_path))
    assert network.settings["hidden_sizes"] == [128, 64]
    session = onnxruntime.InferenceSession(saved(trainer, "Save as ONNX", tmp_path))
    images = offline.val.images[:20]
    (got,) = session.run(["logits"], {"digit": (images[:, None] / 255).numpy()})
    with torch.inference_mode():
        expected = network(normalize(images))
    torch.testing.assert_close(torch.from_numpy(got), expected, atol=1e-5, rtol=0)
    trainer.get_by_role("combobox", name="Activation").select_option("tanh")
    expect(trainer.get_by_role("button", name="Save the network")).to_be_disabled()
    expect(trainer.get_by_role("button", name="Save as ONNX")).to_be_enabled()


def test_the_curves_have_room_for_every_loss(trainer: Locator) -> None:
    cut, said = trainer.evaluate(CURVES, [2e5, 2.3, 1e-7, 4e-4])
    assert cut == []
    assert said == ["training 0.00040", "validation 0.00040"]
    _, said = trainer.evaluate(CURVES, [2.3, 1.2e30])
    assert said == ["training over a million", "validation over a million"]


@pytest.mark.parametrize("width", [360, 736, 770, 1300, 1600])
def test_the_curves_are_legible(trainer: Locator, width: int) -> None:
    size = trainer.page.viewport_size
    assert size
    book_site.resize(trainer.page, width, 800)
    assert min(trainer.evaluate(HEIGHTS)) >= 9  # pixels
    trainer.page.set_viewport_size(size)


def test_the_page_says_whose_digits_it_has(trainer: Locator) -> None:
    source = trainer.locator(".source")
    expect(source).to_contain_text(re.compile("CC BY-SA 3.0|4.0: for want of MNIST"))


@pytest.mark.parametrize("name", ["MNIST", "scikit-learn's digits"])
def test_the_digits_are_written_without_loss_and_with_their_licence(
    offline: Digits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.syspath_prepend(book_site.ROOT / "book" / "extensions")
    live_train = importlib.import_module("live_train")
    monkeypatch.setattr("mnistedu.data.load", lambda: offline._replace(name=name))
    info = live_train.write_digits(tmp_path)
    assert (info["train"], info["val"]) == (1257, 180)
    assert "1,257 training and 180 validation digits" in info["source"]
    licence = {"MNIST": "CC BY-SA 3.0"}.get(name, "CC BY 4.0: for want of MNIST")
    assert licence in info["source"]
    content = zlib.decompress((tmp_path / "digits.bin").read_bytes())
    (images, targets), (val_images, val_targets) = offline.train, offline.val
    parts = images, val_images, targets, val_targets
    assert content == b"".join(part.byte().numpy().tobytes() for part in parts)


def test_what_was_written_without_mnist_is_written_again_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(book_site.ROOT / "book" / "extensions")
    live = importlib.import_module("live")
    contents = tmp_path / "digits.json"
    for has_mnist, source in (
        (False, "first: for want of MNIST."),
        (False, "no second time"),
        (True, "of MNIST"),
        (True, "it is there already"),
    ):
        monkeypatch.setattr(live, "has_mnist", lambda has_mnist=has_mnist: has_mnist)
        live.write_data(contents, [Path(__file__)], lambda source=source: source)
        said = "of MNIST" if has_mnist else "first: for want of MNIST."
        assert json.loads(contents.read_text("utf-8")) == said


def test_everybody_can_use_it(trainer: Locator) -> None:
    page = trainer.page
    page.add_style_tag(content="* { transition: none !important }")
    for theme in ("light", "dark"):
        page.evaluate(THEME, theme)
        assert book_site.barriers(page) == [], theme


def test_a_phone_shows_it_within_its_width(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    page.locator(".live-train .pad").wait_for()
    assert book_site.barriers(page) == []  # as it is before one reaches for it
    trainer = reach(page)
    assert page.evaluate(WIDE) <= 390
    box = trainer.locator(".sheet").bounding_box()
    assert box
    assert box["width"] >= 200
    assert box["x"] + box["width"] <= 290  # room for a finger that scrolls
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_what_comes_moves_nothing(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto(f"{address}/{PAGE}")
    page.locator(".live-train .pad").wait_for()
    before = pytest.approx(book_site.heights(page.locator(".live-train")), abs=1)
    trainer = reach(page)
    press(trainer, "Play")
    expect(trainer.locator(".hardest b").first).to_have_text(re.compile(r"\d"))
    assert book_site.heights(trainer) == before
    trainer.get_by_role("link", name="Dead").click()
    expect(trainer.get_by_role("button", name="Play")).to_be_visible()
    assert book_site.heights(trainer) == before
    page.close()


def test_what_did_not_arrive_is_asked_for_again(browser: Browser, address: str) -> None:
    page = browser.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.route("**/digits.bin", lambda route: route.abort())
    page.goto(f"{address}/{PAGE}")
    page.locator(".live-train .pad").wait_for()
    book_site.settle(page)
    assert not [url for url in fetched if re.search(r"worker|digits\.bin", url)]
    trainer = page.locator(".live-train")
    sheet = trainer.locator(".sheet")
    sheet.scroll_into_view_if_needed()

    def draw() -> None:
        box = sheet.bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 30)
        page.mouse.up()

    draw()
    expect(trainer.get_by_role("status")).to_contain_text("check the connection")
    expect(trainer.locator(".says")).to_have_text("?")
    page.unroute("**/digits.bin")
    page.get_by_role("button", name="Play").focus()
    expect(trainer).to_have_attribute("data-ready", "")
    assert steps(trainer) == 0
    expect(trainer.locator(".says")).to_have_text(re.compile(r"^\d$"))
    page.get_by_role("button", name="Clear").click()
    expect(trainer.locator(".says")).to_have_text("?")
    draw()
    expect(trainer.locator(".says")).to_have_text(re.compile(r"^\d$"))
    page.close()


@pytest.mark.parametrize("why", ["a file", "no JavaScript", "paper"])
def test_a_picture_stands_in_where_nothing_can_run(
    browser: Browser, site: Path, address: str, why: str
) -> None:
    context = browser.new_context(java_script_enabled=why != "no JavaScript")
    page = context.new_page()
    page.goto(f"{site.as_uri() if why == 'a file' else address}/{PAGE}")
    if why == "paper":
        page.locator(".live-train .pad").wait_for()
        page.emulate_media(media="print")
    expect(page.locator(".live-train img")).to_be_visible()
    expect(page.locator(".live-train .pad")).to_be_hidden()
    context.close()
