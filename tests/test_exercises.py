"""Each exercise: the solution passes, the stub waits, mistakes get their hint."""

import _thread
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import platformdirs
import pytest
import torch
from attempts import (
    convolution,
    drawing,
    features,
    heatmaps,
    images,
    layers,
    metrics,
    perceptron,
    training,
)

from mnistedu.exercises import CHAPTERS, EXERCISES, check, progress, reset_progress
from mnistedu.exercises.answer import Exercise, judge
from mnistedu.exercises.limit import TimeLimitError, call_within

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
ATTEMPTS = (
    images.ATTEMPTS
    | layers.ATTEMPTS
    | perceptron.ATTEMPTS
    | convolution.ATTEMPTS
    | training.ATTEMPTS
    | metrics.ATTEMPTS
    | heatmaps.ATTEMPTS
    | features.ATTEMPTS
    | drawing.ATTEMPTS
)


@pytest.mark.parametrize("name", EXERCISES)
def test_solution_passes(name):
    answer = check(name, EXERCISES[name].solution)
    assert answer.solved
    assert repr(answer) == "Solved: it gives the right result in every case."


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    ("nothing", "hint"),
    [(..., "the three dots"), (None, "your function returns nothing")],
)
def test_untouched_stub_is_not_yet(name, nothing, hint):
    answer = check(name, lambda *arguments: nothing)
    assert not answer.solved
    assert repr(answer).startswith("Not yet: ")
    assert hint in answer.message


@pytest.mark.parametrize(
    ("name", "hint"), [(name, hint) for name in ATTEMPTS for hint in ATTEMPTS[name]]
)
def test_mistake_gets_its_hint(name, hint):
    answer = check(name, ATTEMPTS[name][hint])
    assert not answer.solved
    assert hint in answer.message
    assert "\n    expected " in answer.message  # and the case that shows it


@pytest.mark.parametrize("name", EXERCISES)
def test_every_known_mistake_is_found_by_its_own_hint(name):
    for hint, mistake in EXERCISES[name].mistakes.items():
        assert check(name, mistake).message.startswith(hint)


@pytest.mark.parametrize("name", EXERCISES)
def test_exceptions_are_caught(name):
    def divide(*arguments):
        return 1 / 0

    assert "ZeroDivisionError: division by zero" in check(name, divide).message
    assert "TypeError" in check(name, lambda: None).message  # too few arguments


@pytest.mark.parametrize(
    ("name", "attempt", "advice"),
    [
        (
            "average_digit",
            lambda images, targets, digit: images[targets == digit].mean(0),
            "take .float() first",
        ),
        (
            "accuracy",
            lambda logits, targets: (logits.argmax(1) == targets).mean(),
            "take .float() first",
        ),
        ("softmax", lambda logits: (logits - logits.max(1)).exp(), "use amax and amin"),
    ],
)
def test_what_torch_says_in_its_own_words_is_explained(name, attempt, advice):
    message = check(name, attempt).message
    assert advice in message
    assert "(torch says: " in message


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "result", [1, "a", [], torch.ones(0), torch.ones(50), (), (None, None), object]
)
def test_wrong_types_and_shapes_are_caught(name, result):
    answer = check(name, lambda *arguments: result)
    assert not answer.solved
    assert "return" in answer.message


def test_damage_to_inputs_is_said_and_does_not_last():
    def careless(grad, x):
        grad[x <= 0] = 0
        return grad

    for _ in range(2):  # the cases themselves stay whole
        assert "changes its input grad" in check("relu_backward", careless).message


def test_result_may_have_another_dtype_or_carry_autograd():
    def double(logits):
        return torch.softmax(logits.double(), 1)

    def tracked(logits):
        return torch.softmax(logits.requires_grad_(), 1)

    assert check("softmax", double).solved
    assert check("softmax", tracked).solved


def test_result_instead_of_function():
    answer = check("softmax", torch.ones(1, 2))
    assert "pass the function itself" in answer.message


def test_unknown_exercise():
    with pytest.raises(ValueError, match="There is no exercise 'sofmax'; the "):
        check("sofmax", torch.exp)


def test_damage_to_a_list_is_said_too():
    def careless(val_losses, patience):
        val_losses.sort()
        return len(val_losses), 1

    for _ in range(2):
        assert "changes its input val_losses" in check("early_stop", careless).message


@pytest.mark.parametrize(
    ("expected", "right", "wrong", "hint"),
    [
        (0.5, [0.5, torch.tensor(0.5), torch.tensor(0.5).numpy()], "0.5", "a number"),
        (float("nan"), [float("nan")], 1.0, "the numbers differ"),
        (3.0, [3, 3.0], True, "return a number, not a bool"),
        (3, [3, torch.tensor(3)], 3.0, "return a whole number, not a float"),
        (True, [True, torch.tensor(True)], 1, "return True or False, not an int"),
        (True, [True], False, "another answer"),
        ("seven", ["seven"], b"seven", "return a str, not a bytes"),
        ([1.0, 2.0], [[1, 2.0]], (1.0, 2.0), "return a list, not a tuple"),
        ([1.0, 2.0], [[1.0, 2.0]], [1.0], "should have 2 entries, not 1"),
        ((1.0, True), [(1.0, True)], 1.0, "return 2 results"),
        ((1.0, True), [(1.0, True)], (1.0, None), "return True or False"),
        (
            torch.ones(2),
            [torch.ones(2)],
            torch.ones(2).numpy(),
            "return a torch tensor",
        ),
    ],
)
def test_results_need_not_be_tensors(expected, right, wrong, hint):
    exercise = Exercise(lambda: expected, cases=[{}], mistakes={})
    for result in right:
        assert judge(exercise, lambda result=result: result) is None
    assert hint in judge(exercise, lambda: wrong)


@pytest.mark.filterwarnings("ignore:.*(prototype|beta state)")
@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(2, 2) + 5j,
        lambda: torch.tensor(5j),
        lambda: torch.ones(2, 2).to_sparse(),
        lambda: torch.ones(2, 2).to_sparse_csr(),
        lambda: torch.tensor(1.0).to_sparse(),
        lambda: torch.ones(2, 2, device="meta"),
        lambda: torch.ones((), device="meta"),
        lambda: torch.nested.nested_tensor([torch.ones(2)]),
        lambda: (torch.ones(2) + 5j, [torch.tensor(5j)]),
    ],
)
def test_unusual_tensors_get_a_sentence(name, make):
    answer = check(name, lambda *arguments: make())
    assert not answer.solved and "return" in answer.message


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("complex", lambda x: x + 5j),
        ("sparse", torch.Tensor.to_sparse),
        ("meta", lambda x: x.to("meta")),
    ],
)
def test_the_right_numbers_in_an_unusual_tensor_are_not_solved(kind, change):
    message = check("softmax", lambda logits: change(logits.softmax(1))).message
    assert message.startswith(f"return a torch tensor, not a {kind} tensor.")


def test_a_case_can_be_copied_from_the_hint():
    message = check("class_shares", lambda targets: targets * 1.0).message
    assert "targets = [9, 0, 9, 3]" in message
    message = check("accuracy", lambda logits, targets: 0.123456).message
    assert "expected 0.6667\n    returned 0.1235" in message


def test_a_function_may_print(capsys):
    def talkative(logits):
        print("here")
        return logits.softmax(1)

    assert check("softmax", talkative).solved
    assert "here" in capsys.readouterr().out


@pytest.mark.parametrize("leave", [sys.exit, exit, quit])
def test_ending_the_program_is_caught(leave):
    assert "ends the program" in check("softmax", lambda logits: leave()).message


def test_endless_recursion_is_caught():
    def softmax(logits):
        return softmax(logits)

    assert "calls itself again and again" in check("softmax", softmax).message


def test_an_exception_of_the_reader_that_looks_like_ours():
    def late(logits):
        raise TimeoutError

    assert "your function raised TimeoutError" in check("softmax", late).message


class Endless:
    """An attempt that never ends, and catches what most careless code catches."""

    steps = 0

    def __call__(self, *arguments):
        while True:
            with suppress(Exception):
                self.steps += 1


@pytest.fixture
def short_limit(monkeypatch):
    monkeypatch.setattr("mnistedu.exercises.answer.TIME_LIMIT", 0.2)


def test_an_endless_loop_is_stopped(short_limit):
    endless, threads = Endless(), threading.active_count()
    said = check("softmax", endless).message
    assert said.startswith("your function was stopped after 0.2 seconds")
    assert "logits = [[1.0, 2.0]]" in said
    steps = endless.steps
    assert steps > 0
    time.sleep(0.05)
    assert endless.steps == steps  # nothing runs on behind the reader's back
    assert threading.active_count() == threads


def test_an_endless_loop_is_stopped_in_any_thread(short_limit):
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(check("softmax", Endless())), daemon=True
    )
    thread.start()
    thread.join(timeout=20)
    assert "stopped after" in answers[0].message


def test_time_is_up_just_as_the_function_ends():
    def work(rounds=range(20_000)):
        for _ in rounds:
            pass

    start = time.perf_counter()
    work()
    limit = time.perf_counter() - start
    for _ in range(300):  # one or the other, and nothing of it reaches the next line
        try:
            assert call_within(limit, work) is None
        except TimeLimitError as error:
            assert "stopped after" in str(error)


def test_the_reader_can_interrupt(ctrl_c_is_heard):
    timer = threading.Timer(0.2, _thread.interrupt_main)  # what Ctrl-C does
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        check("softmax", Endless())


@pytest.fixture
def record(tmp_path, monkeypatch):
    """The folder of a record that is empty yet."""
    folder = tmp_path / "data" / "solved"
    monkeypatch.setenv("MNISTEDU_PROGRESS", str(folder))
    return folder


def test_progress_counts_what_was_solved(record):
    assert repr(progress()).startswith(f"0 of {len(EXERCISES)} solved\n")
    check("softmax", torch.exp)
    assert progress().solved == []
    for _ in range(2):
        check("softmax", lambda logits: logits.softmax(1))
    assert progress().solved == ["softmax"]
    check("softmax", torch.exp)  # solved once is solved
    first, *lines = repr(progress()).splitlines()
    assert first == f"1 of {len(EXERCISES)} solved"
    assert len(lines) == len(CHAPTERS)
    line = next(line for line in lines if "02_by_hand" in line)
    left = [name for name in CHAPTERS["02_by_hand"] if name != "softmax"]
    assert line.endswith(f" 1 of {len(left) + 1}, next: {', '.join(left)}")


def test_the_chapters_own_solutions_are_not_noted(record):
    assert check("softmax", EXERCISES["softmax"].solution, note=False).solved
    assert progress().solved == []
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.source.startswith("# A solution.") and "check(" in cell.source:
                assert cell.source.endswith(", note=False)")


def test_progress_says_when_nothing_is_left(record):
    for name in EXERCISES:
        check(name, EXERCISES[name].solution)
    assert progress().solved == list(EXERCISES)
    assert "next" not in repr(progress())
    reset_progress()
    assert progress().solved == []
    reset_progress()


def test_progress_survives_a_restart_and_two_notebooks_at_once(record):
    code = (
        "from mnistedu.exercises import EXERCISES, check\n"
        "for name in list(EXERCISES)[::2]: check(name, EXERCISES[name].solution)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as other:
        for name in list(EXERCISES)[1::2]:
            check(name, EXERCISES[name].solution)
    assert other.returncode == 0
    assert progress().solved == list(EXERCISES)


def test_a_record_that_cannot_be_written_breaks_nothing(record):
    record.parent.write_text("a file where the folder should be")
    said = check("softmax", lambda logits: logits.softmax(1))
    assert said.solved
    assert said.message.endswith(f"(It is not noted: {record} cannot be written.)")
    assert progress().solved == []
    reset_progress()


def test_the_record_lies_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MNISTEDU_PROGRESS")  # set in conftest.py, and empty
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *args: tmp_path)
    check("softmax", lambda logits: logits.softmax(1))
    assert [path.name for path in tmp_path.rglob("*")] == ["solved", "softmax"]
    assert progress().solved == ["softmax"]


def test_no_record_where_none_is_wanted(monkeypatch, tmp_path):
    monkeypatch.setenv("MNISTEDU_PROGRESS", "")
    monkeypatch.chdir(tmp_path)
    said = check("softmax", lambda logits: logits.softmax(1))
    assert repr(said) == "Solved: it gives the right result in every case."
    assert list(tmp_path.iterdir()) == []
    assert progress().solved == []
    reset_progress()


def test_each_exercise_has_a_name_of_its_own():
    assert len(EXERCISES) == sum(map(len, CHAPTERS.values()))
    assert EXERCISES.keys() == ATTEMPTS.keys()
    assert all(len(ATTEMPTS[name]) >= 3 for name in EXERCISES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_asks_its_own_exercises_in_order(path):
    """Each has a stub, which is not yet solved, and right below it a solution."""
    asked = []
    for cell in nbformat.read(path, as_version=4).cells:
        for name in re.findall(r'^check\("(\w+)"', cell.source, re.MULTILINE):
            said = cell.outputs[-1].data["text/plain"]
            asked.append((name, said.partition(":")[0]))
    assert asked == [
        (name, outcome)
        for name in CHAPTERS.get(path.stem, [])
        for outcome in ("Not yet", "Solved")
    ]
