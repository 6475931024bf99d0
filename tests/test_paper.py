"""The book as a file: whole, in its order, and without what only a screen has."""

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from posixpath import dirname, join, normpath
from subprocess import Popen
from zipfile import ZipFile

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
EPUBCHECK = shutil.which("epubcheck")


@pytest.fixture(scope="module")
def build(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("paper")
    shutil.copytree(site.parent / ".doctrees", folder / "_build" / ".doctrees")

    def build(*builder: str) -> Path:
        """Build as the Makefile does after `make book`: what was read serves again."""
        jupyter_book = Path(sys.executable).with_name("jupyter-book")
        command = [jupyter_book, "build", ROOT, "--path-output", folder, "-W", "-n"]
        options = ["--keep-going", "--builder", *builder]
        done = subprocess.run([*command, *options], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return folder / "_build" / builder[-1]

    return build


@pytest.fixture(scope="module")
def long_page(build: Callable[..., Path]) -> str:
    text = (build("singlehtml") / "book" / "intro.html").read_text("utf-8")
    text = text[text.index("<article") : text.index("</article>")]
    return re.sub('<a class="headerlink".*?</a>', "", text)  # not on paper


@pytest.fixture(scope="module")
def book(build: Callable[..., Path]) -> Path:
    return build("custom", "--custom-builder", "epub") / "mnistedu.epub"


@pytest.fixture(scope="module")
def pages(book: Path) -> dict[str, str]:
    with ZipFile(book) as files:
        names = [name for name in files.namelist() if name.endswith(".xhtml")]
        return {name: files.read(name).decode() for name in names}


def test_every_page_but_the_trainer_is_in_the_ebook_in_its_order(book: Path) -> None:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = [c["file"] for part in contents["parts"] for c in part["chapters"]]
    with ZipFile(book) as files:
        text = files.read("content.opf").decode()
    items = [
        dict(re.findall(r'(\w+)="(.*?)"', i)) for i in re.findall("<item .*?>", text)
    ]
    addresses = {item["id"]: item["href"] for item in items}
    spine = [addresses[name] for name in re.findall(r'<itemref idref="(.*?)"', text)]
    names = [contents["root"], *chapters, "notebooks/answers"]
    assert spine == [f"{name}.xhtml" for name in names]


def test_no_link_and_no_picture_of_the_ebook_leads_nowhere(
    book: Path, pages: dict[str, str]
) -> None:
    with ZipFile(book) as files:
        names = set(files.namelist())
    for page, text in pages.items():
        for address in re.findall(r'\b(?:href|src)="(?!https?:|mailto:)(.*?)"', text):
            path, _, name = address.partition("#")
            target = normpath(join(dirname(page), path)) if path else page
            assert target in names, (page, address)
            assert not name or f'id="{name}"' in pages[target], (page, address)


def test_nothing_is_folded_or_alive_in_the_ebook(pages: dict[str, str]) -> None:
    for page, text in pages.items():
        alive = re.findall(r"<script|<details|live-\w+|with JavaScript", text)
        assert not alive, page


def find_folded(path: Path) -> list[tuple[str, str]]:
    """The name of each solution and answer of a chapter, and some words of it."""
    found = []
    exercise, question = "", 0
    for cell in nbformat.read(path, as_version=4).cells:
        if "hide-cell" in cell.metadata.get("tags", []):
            found.append((exercise, " ".join(cell.source.split())))
        for heading, answer in re.findall(
            "^#+ (.*)|(?s:<details>(.*?)</details>)", cell.source, re.M
        ):
            if number := re.search(r"exercise \d+", heading.lower()):
                exercise = number[0]
            if answer:
                question += 1
                words = re.findall(r"[a-z]+(?:\s[a-z]+)+", answer)
                longest = " ".join(max(words, key=len).split())
                found.append((f"question {question}", longest))
    return [(f"Chapter {int(path.stem[:2])}, {name}", text) for name, text in found]


def plain(page: str) -> str:
    """What one reads."""
    return " ".join(html.unescape(re.sub("<[^>]*>", "", page)).split())


def are_moved(path: Path, chapters: str, appendix: str) -> None:
    """Each solution and answer stands in the appendix alone, with links to and fro."""
    folded = find_folded(path)
    assert len(folded) > 3
    here = rf"Chapter {int(path.stem[:2])}, [^<]*"
    forth = f"(?:Solution|Answer) in the appendix: <a [^>]*>({here})</a>"
    assert re.findall(forth, chapters) == [name for name, text in folded]
    back = f"<h[1-6]><a [^>]*>({here})</a></h[1-6]>"
    assert re.findall(back, appendix) == [name for name, text in folded]
    before, after = plain(chapters), plain(appendix)
    for name, text in folded:
        assert text not in before, name
        assert text in after, name


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_solutions_and_answers_stand_in_an_appendix_of_the_ebook(
    path: Path, pages: dict[str, str]
) -> None:
    chapter = pages[f"notebooks/{path.stem}.xhtml"]
    are_moved(path, chapter, pages["notebooks/answers.xhtml"])


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_solutions_and_answers_stand_at_the_end_of_the_long_page(
    path: Path, long_page: str
) -> None:
    chapters, end = long_page.split('<span id="document-notebooks/answers">')
    are_moved(path, chapters, end)


def test_formulas_are_mathml_and_the_list_of_files_says_so(
    book: Path, pages: dict[str, str]
) -> None:
    with ZipFile(book) as files:
        text = files.read("content.opf").decode()
    named = set(re.findall(r'properties="mathml" href="(.*?)"', text))
    assert named == {page for page, text in pages.items() if "<math" in text}
    assert "notebooks/02_one_layer.xhtml" in named
    assert not any(r"\frac" in text for text in pages.values())


@pytest.mark.skipif(not EPUBCHECK, reason="epubcheck is not installed")
def test_epubcheck_has_nothing_to_say(book: Path) -> None:
    command = ["java", "-jar", Path(EPUBCHECK or "").resolve(), book]
    done = subprocess.run(command, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert "0 fatals / 0 errors / 0 warnings" in said, said


def test_no_link_of_the_one_long_page_leads_nowhere(long_page: str) -> None:
    names = re.findall(r'\bid="(.*?)"', long_page)
    links = set(re.findall(r'\bhref="(?!https?:|mailto:)(.*?)"', long_page))
    assert not links - {f"#{name}" for name in names}
    # A word that is a title in a chapter too leads to the glossary all the same.
    assert names.count("dropout") > 1
    assert "#dropout" not in links and "#book-glossary-dropout" in links


def test_without_a_chromium_one_sentence_says_what_to_install(
    start: Callable[..., Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTEDU_BROWSER", "/nowhere/chromium")
    program = start(ROOT / "book" / "pdf.py")
    said, error = program.communicate(timeout=60)
    assert program.returncode == 1
    assert not said
    (sentence,) = error.splitlines()
    assert "playwright install chromium" in sentence
