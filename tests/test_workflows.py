"""What cannot run here, read: the workflows, the container and the dev container."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from test_project import PROJECT, ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CONTAINER = ROOT / ".devcontainer"
DOCKERFILE = (CONTAINER / "Dockerfile").read_text("utf-8")
SUPPORTED = [
    f"3.{minor}"
    for minor in range(100)
    if f"3.{minor}" in SpecifierSet(PROJECT["requires-python"])
]

every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text("utf-8"))


@every_workflow
def test_actions_are_pinned_to_a_commit_with_its_version_beside_it(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        used = re.search(r"\buses: (.*)", line)
        if used and not used[1].startswith("./"):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+(\.\d+)*", used[1]), line


def test_an_action_has_one_version_in_all_workflows() -> None:
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: ([\w-]+/[\w-]+)\S*@(\S+ # \S+)", text))
    assert len(pins) == len({action for action, _ in pins})


@every_workflow
def test_a_workflow_may_only_read_unless_a_job_says_why(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}
    for line in path.read_text("utf-8").splitlines():
        if re.search(r"\w: write", line):
            assert " # " in line, f"{path.name} does not say why: {line}"


@every_workflow
def test_a_job_ends_by_itself(path: Path) -> None:
    for job in read(path)["jobs"].values():
        assert "uses" in job or job["timeout-minutes"] <= 120


def test_tests_run_with_the_oldest_and_the_newest_python_on_three_systems() -> None:
    matrix = read(ROOT / ".github/workflows/tests.yml")["jobs"]["test"]["strategy"]
    assert matrix["matrix"]["python"] == [SUPPORTED[0], SUPPORTED[-1]]
    systems = {name.split("-")[0] for name in matrix["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, CONTAINER / "Dockerfile"], ids=lambda path: path.stem
)
def test_the_make_targets_that_it_runs_exist(path: Path) -> None:
    pattern = r"^\W*(?:RUN|run:)?(?: --\S+)* *make ((?:[a-z]+ ?)+)"
    lines = re.findall(pattern, path.read_text("utf-8"), re.M)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    assert {word for line in lines for word in line.split()} <= targets


def test_the_container_has_a_python_that_is_supported() -> None:
    (version,) = re.findall(
        r"^FROM python:(3\.\d+)\.\d+-slim-\w+@sha256:", DOCKERFILE, re.M
    )
    assert version in SUPPORTED


def test_the_container_runs_as_nobody_special_and_keeps_the_token() -> None:
    *_, user = re.findall(r"^USER (\d+)$", DOCKERFILE, re.M)
    assert user != "0"
    assert not re.search(r"token=|password=|allow-root", DOCKERFILE)


def test_the_container_leaves_out_what_git_does() -> None:
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    left_out = (CONTAINER / "Dockerfile.dockerignore").read_text("utf-8").split()
    for folder in {".venv/", "_build/", "dist/", "run/", "student/"} & set(ignored):
        assert folder.rstrip("/") in left_out


def test_the_dev_container_is_the_dockerfiles_first_stage() -> None:
    text = (CONTAINER / "devcontainer.json").read_text("utf-8")
    settings = json.loads(re.sub(r"^//.*$", "", text, flags=re.M))
    assert f" AS {settings['build']['target']}\n" in DOCKERFILE
    assert f" {settings['remoteUser']} " in DOCKERFILE
