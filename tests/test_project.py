"""The files around the package say the same things, and say them once."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import mnistedu

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
REQUIREMENTS = [
    Requirement(line)
    for group in (
        PROJECT["dependencies"],
        *PROJECT["optional-dependencies"].values(),
    )
    for line in group
]
# What could run what a file or a reader holds: functions, and modules of that kind.
DANGEROUS = {"eval", "exec", "compile", "__import__", "pickle", "shelve", "marshal"}
DANGEROUS |= {"subprocess", "os.system", "os.popen", "torch.load", "numpy.load"}
# The packages that conda-forge calls by another name.
CONDA_NAMES = {"pytorch": "torch"}


def import_order() -> list[str]:
    """The modules in the order of the map in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return re.findall(r"^\| `(\w+)(?:\.py|/)` \|", text, re.MULTILINE)


def imported_modules(module: str) -> Iterator[str]:
    """The modules of mnistedu that one of them imports, anywhere in its files."""
    package = ROOT / "mnistedu"
    paths = [*package.glob(f"{module}.py"), *package.glob(f"{module}/*.py")]
    nodes = [ast.walk(ast.parse(path.read_text("utf-8"))) for path in paths]
    for node in chain(*nodes):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "mnistedu." * bool(node.level) + (node.module or "")
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "mnistedu" and rest:
                imported = rest.split(".")[0]
                if imported != module:
                    yield imported


def locked_versions() -> dict[str, list[str]]:
    """Each locked package with its versions: more than one where they depend on Python.

    Fails on an entry without a hash, which pip would refuse to install.
    """
    versions: dict[str, list[str]] = {}
    for entry in re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]:
        name, version = re.match(r"([\w.-]+)==(\S+)", entry).groups()
        assert "--hash=sha256:" in entry, f"{name} has no hash: run `make lock`"
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


def test_the_map_lists_every_module():
    package = ROOT / "mnistedu"
    files, folders = package.glob("[!_]*.py"), package.glob("*/__init__.py")
    modules = {p.stem for p in files} | {p.parent.name for p in folders}
    assert set(import_order()) == modules


@pytest.mark.parametrize("module", import_order())
def test_a_module_imports_only_from_rows_above_it(module):
    order = import_order()
    assert set(imported_modules(module)) <= set(order[: order.index(module)])


def test_the_version_stands_once():
    assert PROJECT["dynamic"] == ["version"]  # pyproject.toml reads it from the package
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == mnistedu.__version__
    assert citation["license"] == PROJECT["license"]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.name)
def test_the_lock_holds_what_pyproject_asks_for(requirement):
    versions = locked_versions().get(canonicalize_name(requirement.name))
    assert versions, f"{requirement.name} is not in the lock: run `make lock`"
    assert all(version in requirement.specifier for version in versions)


def test_the_lock_holds_no_address():
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", LOCK)


def test_the_makefile_takes_the_pythons_of_pyproject():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    limits = r"\((\d+), (\d+)\) <= sys\.version_info\[:2\] <= \((\d+), (\d+)\)"
    major, lowest, _, highest = map(int, re.search(limits, makefile).groups())
    allowed = SpecifierSet(PROJECT["requires-python"])
    minors = [minor for minor in range(100) if f"{major}.{minor}" in allowed]
    assert (lowest, highest) == (minors[0], minors[-1])
    assert f"Python {major}.{lowest} to {major}.{highest}" in makefile


def test_the_conda_environment_is_in_step_with_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    python, pip, *packages, by_pip = environment["dependencies"]
    name, version = python.split("=")
    assert name == "python"
    assert version in SpecifierSet(PROJECT["requires-python"])
    assert pip == "pip"
    assert by_pip == {"pip": ["-e .[course]"]}
    # Bare names: which versions will do is said in pyproject.toml alone.
    required = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert {CONDA_NAMES.get(name, name) for name in packages} <= required


def names_in(path: Path) -> Iterator[str]:
    """Each name that a file uses or imports, with what stands before its dot."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}".replace("np.", "numpy.")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            base = getattr(node, "module", None)
            for alias in node.names:
                yield from (f"{base}.{alias.name}" if base else alias.name, base or "")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "mnistedu").rglob("*.py")), ids=lambda path: path.stem
)
def test_the_package_runs_nothing_that_it_reads(path):
    assert not DANGEROUS & set(names_in(path))


def test_what_could_run_what_is_read_would_be_found(tmp_path):
    sample = tmp_path / "sample.py"
    sample.write_text("import torch, subprocess\ntorch.load(eval('path'))")
    assert DANGEROUS & set(names_in(sample)) == {"subprocess", "torch.load", "eval"}


def test_the_wheel_alone_runs_the_examples_of_the_readme(tmp_path):
    here = Path(sys.executable).parent
    built = tmp_path / "built"
    subprocess.run(
        [here / "hatchling", "build", "-t", "wheel", "-d", built], cwd=ROOT, check=True
    )
    venv.create(tmp_path / "empty")
    python = tmp_path / "empty" / here.name / "python"
    install = [here / "uv", "pip", "install", "--offline", "--no-deps"]
    subprocess.run([*install, "--python", python, *built.iterdir()], check=True)
    # All but mnistedu comes from here: a path in a .pth file brings no other .pth file,
    # and so not that of the repository.
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.check_output(where, text=True).strip())
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    subprocess.run(
        [python, ROOT / "tests" / "readme_examples.py"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        check=True,
    )
