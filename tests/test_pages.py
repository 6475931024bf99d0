"""The pages beside the chapters say what the code, the chapters and the tools do."""

import ast
import importlib.util
import os
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import Popen
from types import ModuleType
from typing import Any

import jupyter_server.serverapp
import nbformat
import pupils
import pytest
import torch
import yaml
from typer.core import TyperGroup
from typer.main import get_command

import mnistedu
from mnistedu.cli import app
from mnistedu.data import CACHE_NAME, RAW_FOLDER, SHA256, Split
from mnistedu.strokes import written_digits

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(BOOK.glob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
NOTEBOOKS = {
    int(path.name[:2]): nbformat.read(path, as_version=4)
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
}


def script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


links = script(BOOK / "links.py")


def page(name: str) -> str:
    return (BOOK / name).read_text("utf-8")


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    """What stands between fences, in lists too."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.M | re.S)
    return [re.sub(f"^{indent}", "", block, flags=re.M) for indent, block in found]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, row by row, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[cell.strip() for cell in row] for row in cells if "---" not in row[0]][1:]


def prose(number: int) -> str:
    """All of a chapter's Markdown, with single spaces."""
    cells = [c for c in NOTEBOOKS[number].cells if c.cell_type == "markdown"]
    return " ".join("\n\n".join(cell.source for cell in cells).split())


def code(number: int) -> str:
    return "\n".join(c.source for c in NOTEBOOKS[number].cells if c.cell_type == "code")


def chapters_in(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"notebooks/(\d\d)_", text)]


# The contents.


def test_the_contents_list_every_page() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    sections = [part for chapter in chapters for part in chapter.get("sections", [])]
    listed = [page["file"] for page in chapters + sections]
    written = {f"book/{path.stem}" for path in BOOK.glob("*.md")} | {"CHANGELOG"}
    assert written == {toc["root"], *listed} - {
        name for name in listed if name.startswith("notebooks/")
    }


def test_the_changelog_begins_with_this_version() -> None:
    (newest, *_) = re.findall(
        r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    assert newest == mnistedu.__version__


def test_links_into_the_glossary_find_their_words() -> None:
    headings = re.findall(r"^##+ (.+)$", page("glossary.md"), re.M)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
    texts = [*map(prose, NOTEBOOKS), *(path.read_text("utf-8") for path in PAGES)]
    linked = set(re.findall(r"glossary\.md#([^)\s]+)\)", "\n".join(texts)))
    assert linked <= slugs


# The reference.


def test_every_module_is_on_one_page_of_the_reference() -> None:
    shown = re.findall(
        r"^\.\. automodule:: mnistedu\.(\w+)$",
        "\n".join(path.read_text("utf-8") for path in BOOK.glob("api_*.md")),
        re.M,
    )
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    modules = re.findall(r"^\| `(\w+)(?:\.py|/)` \|", table, re.M)
    in_help = ["cli", "options", "terminal"]  # each command's page is its help
    assert sorted([*shown, *in_help]) == sorted(modules)


def test_the_help_of_every_command_is_on_its_page() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    shown = re.findall(r"^```\{command-help\} ?(.*)$", page("api_command.md"), re.M)
    assert shown == ["", *group.commands]


# What is typed.


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_have_the_options_that_a_page_gives_them(path: Path) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for command, rest in re.findall(
        r"\bmnistedu ([a-z]+)((?: [^\n`;|]*)?)(?=\n|`)", path.read_text("utf-8")
    ):
        if command in group.commands:
            parameters = group.commands[command].params
            options = {o for p in parameters for o in (*p.opts, *p.secondary_opts)}
            assert set(re.findall(r"--[a-z-]+", rest)) <= options, (command, rest)


@pytest.mark.parametrize(
    "path", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name
)
def test_the_make_targets_that_a_page_names_exist(path: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", path.read_text("utf-8"), re.M))
    assert named <= set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))


# If something goes wrong.


def messages() -> list[str]:
    """What the package and the Makefile can say, with … for what they put in."""
    found = [re.sub(r'" \\\s*"', " ", MAKEFILE)]
    found += [page.read_text("utf-8") for page in (ROOT / "mnistedu").rglob("*.html")]
    for path in (ROOT / "mnistedu").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [getattr(part, "value", "") for part in node.values]
                found.append(
                    "".join(part if isinstance(part, str) else "…" for part in parts)
                )
    return found


def quotations(text: str) -> list[str]:
    """What is indented with >, paragraph by paragraph, each in one line."""
    found = re.findall(r"(?:^>.*\n)+", text, re.M)
    plain = [block.replace(">", " ").replace("`", "") for block in found]
    return [" ".join(block.split()) for block in plain]


@pytest.mark.parametrize("message", quotations(page("trouble.md")))
def test_a_message_is_one_that_the_code_gives(message: str) -> None:
    known = messages()
    for sentence in re.split(r"(?<=\.) ", message):
        # Of a picture the name and the full stop are added to what is wrong with it.
        words = sentence.removeprefix("… ").removesuffix(".").removesuffix(" …")
        assert any(words in template for template in known), sentence


def test_jupyter_refuses_root_in_these_words() -> None:
    (said,) = (b for b in blocks(page("trouble.md"), "none") if "root" in b)
    assert said.strip() in Path(jupyter_server.serverapp.__file__).read_text("utf-8")


def test_the_files_of_mnist_are_named_as_they_are_looked_for() -> None:
    text = page("trouble.md")
    names = [f"{name}-idx{3 if 'images' in name else 1}-ubyte\n" for name in SHA256]
    assert "".join(names) in blocks(text, "none")
    assert f"`{CACHE_NAME}`" in text
    assert f"`{RAW_FOLDER.as_posix()}`" in text


def test_the_way_to_forget_what_is_solved_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNISTEDU_PROGRESS", str(tmp_path))
    (tmp_path / "softmax").touch()
    (forget,) = (b for b in blocks(page("trouble.md"), "python") if "reset" in b)
    exec(forget, {})
    assert not any(tmp_path.iterdir())


# The appendices.


def test_the_lines_on_sharing_print_what_stands_below_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for lines in blocks(page("sharing.md"), "python"):
        exec(lines, names)
    assert capsys.readouterr().out == "".join(blocks(page("sharing.md"), "output"))


def test_the_model_card_has_the_figures_of_chapter_7() -> None:
    card = "\n".join(re.findall(r"^> .*", page("sharing.md"), re.M))
    printed = "\n".join(
        output.get("text", "")
        for cell in NOTEBOOKS[7].cells
        for output in cell.get("outputs", [])
    )
    figures = re.findall(r"(\d+\.\d+) %", card)
    assert len(figures) == 3
    assert all(f"{figure}%" in printed for figure in figures)


def test_the_script_for_two_processes_runs(
    tmp_path: Path, start: Callable[..., Popen[str]]
) -> None:
    (script,) = blocks(page("distributed.md"), "python")
    path = tmp_path / "two.py"
    path.write_text(script.replace("load()", 'load("offline")'), "utf-8")
    command = "torchrun --standalone --nproc-per-node=2 "
    assert f"{command}two.py\n" in blocks(page("distributed.md"), "console")
    torchrun = ["-m", "torch.distributed.run", *command.split()[1:], path]
    program = start(*torchrun, env=os.environ | {"OMP_NUM_THREADS": "1"})
    output, errors = program.communicate()
    assert program.returncode == 0, errors
    pattern = r"process (\d): (\d+) steps, (\d+\.\d\d%)"
    # Both write to one pipe, and their lines may run into each other.
    (one, *figures), (two, *others) = sorted(re.findall(pattern, output))
    assert (one, two) == ("0", "1")
    assert figures == others
    assert int(figures[0]) == 10  # 1,257 images in batches of twice 64


def test_the_steps_for_a_class_run_from_thirty_files_to_ten_new_hands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pupils.write(tmp_path / "class", *written_digits(width=1))
    names: dict[str, object] = {"__name__": "__main__"}
    for lines in blocks(page("class.md"), "python"):
        quick = lines.replace("range(60)", "range(2)").replace(
            "load()", 'load("offline")'
        )
        exec(quick, names)
    printed = capsys.readouterr().out
    assert printed.startswith("30 pupils, 600 digits\n")
    counts = re.findall(r"^\d+%: (\d+) of 30$", printed, re.M)
    assert sum(map(int, counts)) == 30
    assert not re.search(r"^\d\d: ", printed, re.M)  # nobody's number beside a share
    assert len(re.findall(r"^\d+% \(\d+% to \d+%\)$", printed, re.M)) == 1
    (mean, low, high) = re.findall(r"the class: (.*)% \((.*)% to (.*)%\)", printed)[0]
    assert 80 < float(low) < float(mean) < float(high) <= 100
    assert len(re.findall(r"^group \d:(?: +\S+%){5}$", printed, re.M)) == 3
    assert len(re.findall(r"^gain over .* points \(.* to .*\)$", printed, re.M)) == 2
    learn, rest, who = names["learn"], names["rest"], names["pupils"]
    assert isinstance(who, torch.Tensor) and len(who) == 600
    assert isinstance(learn, torch.Tensor) and isinstance(rest, torch.Tensor)
    assert sorted([*learn.tolist(), *rest.tolist()]) == [*range(600)]


def test_no_pupil_is_on_both_sides() -> None:
    """The lines of the page that hold groups out, with pupils for images."""
    (lines,) = (b for b in blocks(page("class.md"), "python") if "groups =" in b)
    who = torch.arange(30).repeat_interleave(20)
    sides: list[tuple[set[int], set[int]]] = []

    def is_right(
        learned_from: torch.Tensor, read: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        sides.append(({*learned_from.tolist()}, {*read.tolist()}))
        return torch.ones(len(read))

    none = torch.tensor([-1])
    names = {
        "torch": torch,
        "files": [None] * 30,
        "pupils": who,
        "drawings": Split(who, who),
        "before": torch.ones(600),
        "fine_tune": lambda images, targets, seed: images,
        "is_right": is_right,
        "model": none,
        "known": (none, none),
        "val": (none, none),
    }
    exec(lines[lines.index("control, after =") : lines.index("for name, ")], names)
    tuned = [(learn, rest) for learn, rest in sides if -1 not in learn | rest]
    assert [len(learn) for learn, _ in tuned] == [20] * 3
    assert all(learn | rest == {*range(30)} for learn, rest in tuned)
    assert sorted(n for _, rest in tuned for n in rest) == [*range(30)]


def test_the_lines_on_a_harder_task_run_and_load_clothes_in_mnists_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "fashion" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, n in (("train", 6_100), ("t10k", 50)):
        pixels = torch.arange(n * 784).remainder(251).byte()
        for kind, header, content in (
            ("images-idx3", (0x803, n, 28, 28), pixels),
            ("labels-idx1", (0x801, n), (torch.arange(n) % 10).byte()),
        ):
            head = b"".join(number.to_bytes(4, "big") for number in header)
            whole = head + content.numpy().tobytes()
            (raw / f"{part}-{kind}-ubyte").write_bytes(whole)

    def no_mnist() -> None:
        raise ConnectionError("MNIST could not be downloaded.")

    monkeypatch.setattr("mnistedu.data._load_mnist", no_mnist)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for lines in blocks(page("harder.md"), "python"):
        exec(lines, names)
    assert names["digits"].name == "scikit-learn's digits, rotated"
    train, val, test = (names[name] for name in ("train", "val", "test"))
    assert [len(split.targets) for split in (train, val, test)] == [100, 6_000, 50]
    assert val.images[0].flatten()[:3].tolist() == [
        (100 * 784 + i) % 251 for i in range(3)
    ]
    assert val.targets[:3].tolist() == [0, 1, 2]
    assert len(names["history"]) == 1


def test_each_measured_number_on_a_harder_task_is_in_its_tables() -> None:
    measured = "".join(
        path.read_text("utf-8") for path in (BOOK / "measured").glob("rotated-*.md")
    )
    written = re.sub(r"```.*?```", "", page("harder.md"), flags=re.S)
    found = set(re.findall(r"\d+\.\d+", re.sub(r"\]\(.*?\)", "", written)))
    assert len(found) > 10
    published = {"11.11", "2.28", "3.0"}  # the last is of a licence
    assert found - published <= set(re.findall(r"\d+\.\d+", measured))


# For teachers.


def minutes_of(number: int) -> tuple[str, ...]:
    """A chapter's minutes, as its first cell has them.

    Returns:
        Those of reading, of the computer among them, and of the exercises.
    """
    pattern = (
        r"\*\*Time:\*\* about (\d+) minutes, of which the computer takes ([^.]+), "
        r"and (\d+) more for the exercises\."
    )
    time = re.search(pattern, prose(number))
    assert time, f"chapter {number} says its time in other words"
    return time.groups()


def test_teachers_read_the_times_that_the_chapters_give() -> None:
    told = rows(section(page("teachers.md"), "How long it takes"))
    expected = []
    for number, notebook in NOTEBOOKS.items():
        title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        (path,) = (ROOT / "notebooks").glob(f"{number:02}_*.ipynb")
        link = f"[{number}: {title}](../notebooks/{path.name})"
        expected.append([link, *minutes_of(number)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in expected)
    assert told == expected, f"book/teachers.md should say:\n{table}"


# Whose data the figures show.


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_the_splits_of_a_chapter_are_named(number: int) -> None:
    names = {"training": "train", "validation": "val", "test": "test"}
    row = rows(section(page("figures.md"), "Chapter by chapter"))[number - 1]
    assert chapters_in(row[0]) == [number]
    used = set(re.findall(r"digits\.(train|val|test)\b", code(number)))
    assert {short for name, short in names.items() if name in row[1]} == used


# Links that lead out of the course.


class Server(BaseHTTPRequestHandler):
    """Knows /here; /shy only for GET; says to programs that they are not wanted."""

    def do_HEAD(self) -> None:
        codes = {"/here": 200, "/shy": 405, "/refuses": 403}
        self.send_response(codes.get(self.path, 404))
        self.end_headers()

    def do_GET(self) -> None:
        codes = {"/shy": 200, "/refuses": 403}
        self.send_response(codes.get(self.path, 404))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(links, "AT_HOME", r"(?!)")
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_links_that_are_gone_are_printed_with_their_pages(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(f"See [a]({address}/here), <{address}/shy> and {address}/refuses.")
    bad.write_text(f"See [a]({address}/here) or [b]({address}/gone).")
    assert links.main([good]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == ["3 links, 0 gone."]
    assert said[0].startswith(f"{address}/refuses: 403 ")
    assert links.main([good, bad]) == 1
    said = capsys.readouterr().out.splitlines()
    assert f"{address}/gone: 404 Not Found (in bad.md)" in said
    assert said[-1] == "4 links, 1 gone."


def test_a_server_that_is_not_there_is_printed(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.md"
    path.write_text("[a](http://127.0.0.1:9/here)")
    assert links.main([path]) == 1
    assert "http://127.0.0.1:9/here: " in capsys.readouterr().out


def test_links_are_found_in_pages_notebooks_and_references() -> None:
    notebook = links.links(ROOT / "notebooks" / "03_many_layers.ipynb")
    references = links.links(BOOK / "references.bib")
    assert "https://github.com/karpathy/micrograd" in notebook
    assert "https://doi.org/api/handles/10.1038/323533a0" in notebook
    assert "https://doi.org/api/handles/10.1109/5.726791" in references
    assert "https://arxiv.org/abs/1412.6980" in references
