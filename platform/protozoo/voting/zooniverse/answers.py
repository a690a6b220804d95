"""Finds the way through a campaign's question tree that a Zooniverse classification took."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from protozoo.voting.exceptions import AnswerError, ZooniverseError
from protozoo.voting.models import ZooniverseClassification
from protozoo.voting.trees import Answer, Tree, tree_leaf, tree_leaves, tree_path
from skysort.errors import InputError
from skysort.zooniverse.answers import Choice, NoChoice, Tasks, choice_of, plain, task_find
from skysort.zooniverse.classifications import Classification
from skysort.zooniverse.question_trees import tree_key

Outcome = ZooniverseClassification.Outcome

OUTCOME_OF: Final = {
    NoChoice.NOT_ASKED: Outcome.TASK,
    NoChoice.EMPTY: Outcome.EMPTY,
    NoChoice.SEVERAL: Outcome.SEVERAL,
    NoChoice.DRAWING: Outcome.DRAWING,
    NoChoice.TEXT: Outcome.TEXT,
    NoChoice.OTHER: Outcome.OTHER,
}


def answers_read(path: Path) -> dict[str, str | None]:
    """Read a mapping of labels to leaves: a JSON object, null for what is no answer."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ZooniverseError(f"The answers {path} cannot be read: {error}") from error
    if not isinstance(value, dict) or not all(
        isinstance(leaf, str | None) for leaf in value.values()
    ):
        raise ZooniverseError(
            f'The answers {path} must be a JSON object such as {{"Smooth": "compact"}}, with null'
            " for what is no answer."
        )
    return value


class AnswerFinder:
    """Turns classifications into paths through a tree.

    Where the tasks of the export are the questions of the tree, their answers are followed one
    after the other. Otherwise one task decides, and its labels name leaves: as `answers` says, or
    by the words or the key of the leaf, whatever their markdown and letter case.
    """

    def __init__(
        self,
        tree: Tree,
        tasks: Tasks,
        *,
        workflow: str = "",
        task: str = "",
        answers: Mapping[str, str | None] | None = None,
    ) -> None:
        self.tree = tree
        self.workflow = workflow
        self.unknown_labels: Counter[str] = Counter()
        self._leaf_of = _leaf_of(tree, answers or {})
        self.task = ""
        asked = {tree_key(each.task) for each in tasks.choices(workflow=workflow)}
        if answers or task or tree["root"] not in asked:
            self._choose_task(tasks, task)

    def _choose_task(self, tasks: Tasks, task: str) -> None:
        found = tasks.choices(workflow=self.workflow, task=task)
        fitting = [
            each for each in found if any(plain(one) in self._leaf_of for one in each.labels)
        ]
        if len(fitting) == 1:
            self.task, self.workflow = fitting[0].task, fitting[0].workflow_id
            return
        if not found:  # an export of drawings alone is kept, too
            return
        try:
            chosen = task_find(tasks, workflow=self.workflow, task=task)
        except InputError as error:
            raise ZooniverseError(str(error)) from error
        self.task, self.workflow = chosen.task, chosen.workflow_id

    def find(self, classification: Classification, *, kind: str) -> list[str] | Outcome:
        """Give the keys from the root to the leaf, or why there are none."""
        if self.workflow and classification.row.workflow_id != self.workflow:
            return Outcome.WORKFLOW
        path = self._one_task(classification) if self.task else self._walk(classification)
        if isinstance(path, list):
            try:
                tree_leaf(self.tree, path, kind=kind)
            except AnswerError:
                return Outcome.ANSWER
        return path

    def _one_task(self, classification: Classification) -> list[str] | Outcome:
        choice = choice_of(classification, self.task)
        if not isinstance(choice, Choice):
            return OUTCOME_OF[choice]
        leaf = self._leaf_of.get(plain(choice.label))
        if leaf is None:
            self.unknown_labels[choice.label] += 1
            return Outcome.ANSWER
        return tree_path(self.tree, leaf)

    def _walk(self, classification: Classification) -> list[str] | Outcome:
        task_of = {tree_key(one.task): one.task for one in classification.flat_annotations()}
        path: list[str] = []
        question: str | None = self.tree["root"]
        while question is not None:
            choice = choice_of(classification, task_of.get(question, ""))
            if not isinstance(choice, Choice):
                return OUTCOME_OF[choice]
            answer = _answer(self.tree["questions"][question]["answers"], choice.label)
            if answer is None:
                self.unknown_labels[choice.label] += 1
                return Outcome.ANSWER
            path.append(answer["key"])
            question = answer.get("next")
        return path


def _leaf_of(tree: Tree, answers: Mapping[str, str | None]) -> dict[str, str | None]:
    """Give leaves by the plain words that name them; words of several leaves name none."""
    leaves = tree_leaves(tree)
    keys = {leaf["key"] for leaf in leaves}
    wrong = sorted({leaf for leaf in answers.values() if leaf is not None} - keys)
    if wrong:
        raise ZooniverseError(
            f"The question has no leaf {wrong[0]!r}; its leaves are {', '.join(sorted(keys))}."
        )
    labels = Counter(plain(leaf["label"]) for leaf in leaves)
    by_label = {words: leaf["key"] for leaf in leaves if labels[words := plain(leaf["label"])] == 1}
    by_key = {plain(key): key for key in keys}
    said = {plain(label): leaf for label, leaf in answers.items()}
    return {**by_label, **by_key, **said}


def _answer(answers: Iterable[Answer], label: str) -> Answer | None:
    words = plain(label)
    offered = list(answers)
    named = [one for one in offered if plain(one["label"]) == words]
    if len(named) != 1:
        named = [one for one in offered if plain(one["key"]) == words]
    return named[0] if named else None
