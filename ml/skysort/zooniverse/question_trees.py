"""Question trees of ProtoZoo from the tasks of a Zooniverse export.

A tree is `{"root": KEY, "questions": {KEY: {"text": ..., "answers": [...]}}}`; each answer has a
key and a label and either leads on with `next` or means "class" or "unknown".
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from skysort.errors import InputError
from skysort.zooniverse.answers import TaskSummary, plain

__all__ = ["tree_key", "tree_of_chain", "tree_of_task"]

MOST_CHARACTERS: Final = 60
#: Words of people who could not decide; no class of a catalog.
UNSURE: Final = re.compile(
    r"(can ?not|can'?t|could not|couldn'?t|hard to|unable to) (tell|say|see|decide)"
    r"|un(sure|known|clear|certain)|not sure|don'?t know|do not know|i'?m not sure"
)
#: So large a share of those who gave an answer must have gone on to the same task.
AGREEMENT: Final = 0.98


def tree_key(text: str) -> str:
    """Make a key of any words: small letters, digits and '_', a letter first.

    Examples
    --------
    >>> tree_key("**Edge-on** disk"), tree_key("3 arms"), tree_key("T0")
    ('edge_on_disk', 'n_3_arms', 't0')
    """
    key = re.sub(r"[^a-z0-9]+", "_", plain(text)).strip("_") or "answer"
    return (key if key[0].isalpha() else f"n_{key}")[:MOST_CHARACTERS].rstrip("_")


def tree_of_task(task: TaskSummary) -> dict[str, Any]:
    """Ask one task; each of its answers is a leaf, the commonest first.

    Examples
    --------
    >>> task = TaskSummary("7", "T0", "Is it round?", labels=Counter({"Yes": 2, "Not sure": 1}))
    >>> [(a["key"], a["means"]) for a in tree_of_task(task)["questions"]["t0"]["answers"]]
    [('yes', 'class'), ('not_sure', 'unknown')]
    """
    return _tree([task], following={})


def tree_of_chain(tasks: Sequence[TaskSummary]) -> dict[str, Any]:
    """Ask tasks one after the other, as the answers led to them; the first is the root.

    Raises
    ------
    InputError
        If people who gave one answer went on to different tasks.
    """
    following = {}
    for task in tasks:
        for label, counts in task.followed_by.items():
            next_task, n = counts.most_common(1)[0]
            if n < AGREEMENT * counts.total():
                raise InputError(
                    f"After {label!r} of {task.task} people went on to different tasks; choose"
                    " one task with --task"
                )
            following[task.task, label] = next_task
    return _tree(tasks, following=following)


def _tree(tasks: Sequence[TaskSummary], *, following: dict[tuple[str, str], str]) -> dict[str, Any]:
    leaves = Counter(
        tree_key(label)
        for task in tasks
        for label in _different(task)
        if not following.get((task.task, label))
    )
    questions = {
        tree_key(task.task): {
            "text": task.task_label.strip() or f"What do you see? ({task.task})",
            "answers": _answers(task, following, leaves),
        }
        for task in tasks
    }
    return {"root": tree_key(tasks[0].task), "questions": questions}


def _answers(
    task: TaskSummary, following: dict[tuple[str, str], str], leaves: Counter[str]
) -> list[dict[str, Any]]:
    answers = []
    used: set[str] = set()
    for label in _different(task):
        next_task = following.get((task.task, label), "")
        key = tree_key(label)
        if not next_task and leaves[key] > 1:  # "yes" at the end of two questions
            key = tree_key(f"{task.task} {label}")
        key = _unused(key, used)
        used.add(key)
        answer: dict[str, Any] = {"key": key, "label": label.strip() or key}
        if next_task:
            answer["next"] = tree_key(next_task)
        else:
            answer["means"] = "unknown" if UNSURE.search(plain(label)) else "class"
        answers.append(answer)
    return answers


def _different(task: TaskSummary) -> list[str]:
    """Give the labels, the commonest first; of those with the same words only one."""
    by_words: dict[str, str] = {}
    for label, _ in task.labels.most_common():
        by_words.setdefault(plain(label), label)
    return list(by_words.values())


def _unused(key: str, used: set[str]) -> str:
    number, name = 1, key
    while name in used:
        number += 1
        name = f"{key[: MOST_CHARACTERS - 4]}_{number}"
    return name
