"""The chapters' exercises and an answer, with a hint, to each attempt."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from torch.nn import Module

from mnistedu.exercises import record
from mnistedu.exercises.answer import Answer, Exercise, judge
from mnistedu.exercises.session import kept_session
from mnistedu.exercises.show import show
from mnistedu.exercises.tame import tame

__all__ = ["Answer", "Exercise", "Progress", "check", "progress", "reset_progress"]

# The exercises of each chapter, in the order in which a reader meets them. A file has
# the name of its chapter's notebook, with the letters that Python wants before it.
CHAPTERS: dict[str, dict[str, Exercise]] = {
    name: import_module(f"{__name__}.ch{name}").EXERCISES
    for name in (
        *("01_data", "02_one_layer", "03_many_layers", "04_mlp", "05_cnn"),
        *("06_training", "07_evaluation", "08_grad_cam", "09_feature_maps", "10_draw"),
    )
}
EXERCISES = {
    name: exercise
    for exercises in CHAPTERS.values()
    for name, exercise in exercises.items()
}


@dataclass(frozen=True, repr=False)
class Progress:
    """The exercises solved so far. A notebook shows its repr, a line a chapter."""

    solved: list[str]

    def __repr__(self) -> str:
        lines = [f"{len(self.solved)} of {len(EXERCISES)} solved"]
        width = max(map(len, CHAPTERS))
        for chapter, exercises in CHAPTERS.items():
            left = [name for name in exercises if name not in self.solved]
            done = f"{len(exercises) - len(left)} of {len(exercises)}"
            to_do = f", next: {', '.join(left)}" if left else ""
            lines.append(f"  {chapter:{width}}  {done}{to_do}")
        return "\n".join(lines)


def check(
    exercise: str | Exercise, function: Callable[..., Any], note: bool = True
) -> Answer:
    """Try a reader's function on the cases of an exercise.

    Args:
        exercise: its name, for example ``"softmax"``; or an ``Exercise`` of your own.
        function: the attempt. Whatever it does wrong is said in the answer; nothing is
            raised.
        note: whether ``progress`` is to know of it, once it is solved. The chapters'
            own solutions are not noted, nor are exercises without a name.

    Returns:
        The answer: solved, or the first case that fails, with a hint.

    Raises:
        ValueError: if there is no such exercise.
    """
    if isinstance(exercise, Exercise):
        return _judge(exercise, function)
    if exercise not in EXERCISES:
        known = ", ".join(EXERCISES)
        raise ValueError(
            f"There is no exercise {exercise!r}; the exercises are {known}."
        )
    answer = _judge(EXERCISES[exercise], function)
    if answer.solved and note and not record.add(exercise):
        unwritten = f"(It is not noted: {record.find_folder()} cannot be written.)"
        return Answer(True, f"{answer.message} {unwritten}")
    return answer


def _judge(exercise: Exercise, function: Callable[..., Any]) -> Answer:
    if not callable(function):
        wanted = "network" if isinstance(exercise.solution, Module) else "function"
        given = show(tame(function)).partition("\n")[0]
        return Answer(False, f"pass the {wanted} itself, not {given}.")
    with kept_session():
        return judge(exercise, function)


def progress() -> Progress:
    """Which exercises this reader has solved, here or in any notebook before.

    They are noted in the user's data folder, or in the folder that the environment
    variable ``MNISTEDU_PROGRESS`` names; where that is empty, nothing is noted.
    """
    return Progress(record.read(EXERCISES))


def reset_progress() -> None:
    """Forget which exercises this reader has solved.

    Raises:
        OSError: if that cannot be written.
    """
    record.remove(EXERCISES)
