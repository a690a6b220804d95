"""A campaign's question as rows of a workflow export."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Count

from protozoo.voting.models import Campaign, Question, Vote
from protozoo.voting.trees import Tree, tree_roles
from protozoo.voting.zooniverse.classification_rows import (
    COMMENT_TASK,
    GRID_TASK,
    MARKS_TASK,
    STRANGE_TASK,
    TAGS_TASK,
)
from protozoo.voting.zooniverse.identities import Identities
from skysort.zooniverse.rows import WorkflowRow, guarded, json_text

TOOL_OF: Final = {"point": "point", "box": "rectangle"}


class WorkflowTable:
    """Each version of the campaign's question."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._ids = Identities(campaign)

    def __iter__(self) -> Iterator[WorkflowRow]:
        votes = Vote.objects.filter(item__campaign=self._campaign, superseded_at=None).order_by()
        counts = dict(votes.values_list("question").annotate(n=Count("pk")))
        n_retired = self._campaign.items.filter(retired_at__isnull=False).count()
        for question in self._campaign.questions.order_by("version"):
            yield self._workflow(question, counts.get(question.pk, 0), n_retired)

    def _workflow(self, question: Question, n_votes: int, n_retired: int) -> WorkflowRow:
        tasks, strings = tasks_of(question.tree)
        count = {"count": self._campaign.votes_to_retire}
        return WorkflowRow(
            workflow_id=self._ids.workflow,
            display_name=guarded(self._campaign.title),
            version=str(question.version),
            minor_version="1",
            active=str(self._campaign.state == Campaign.State.OPEN).lower(),
            classifications_count=str(n_votes),
            pairwise="false",
            grouped="false",
            prioritized="true",
            primary_language="en",
            first_task=question.tree["root"],
            tutorial_subject_id="",
            retired_set_member_subjects_count=str(n_retired),
            tasks=json_text(tasks),
            retirement=json_text({"criteria": "classification_count", "options": count}),
            aggregation="{}",
            strings=json_text(strings),
        )


def tasks_of(tree: Tree) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the tasks of a tree, and the words that they refer to by keys."""
    strings: dict[str, str] = {}
    tasks: dict[str, Any] = {}
    for key, step in tree["questions"].items():
        strings[f"{key}.question"] = step["text"]
        strings[f"{key}.help"] = step.get("help", "")
        answers = []
        for number, answer in enumerate(step["answers"]):
            name = f"{key}.answers.{number}.label"
            strings[name] = answer["label"]
            following = answer.get("next")
            answers.append({"label": name, **({"next": following} if following else {})})
        tasks[key] = {
            "type": "single",
            "question": f"{key}.question",
            "help": f"{key}.help",
            "answers": answers,
            "required": True,
        }
    for key, task, words in _tasks_beside(tree):
        strings.update(words)
        tasks[key] = task
    return tasks, strings


def _tasks_beside(tree: Tree) -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    """Give the tasks that are no questions of the tree."""
    for key, kind, text in (
        (GRID_TASK, "multiple", "Which members do not belong?"),
        (TAGS_TASK, "text", "Tags"),
        (COMMENT_TASK, "text", "Comment"),
        (STRANGE_TASK, "single", "Something strange?"),
    ):
        name = f"{key}.{'instruction' if kind == 'text' else 'question'}"
        task: dict[str, Any] = {"type": kind, name.partition(".")[2]: name}
        words = {name: text}
        if kind != "text":
            task["answers"] = []
        if key == STRANGE_TASK:
            task["answers"] = [{"label": f"{key}.answers.0.label"}]
            words[f"{key}.answers.0.label"] = "Yes"
        yield key, task, words
    if roles := tree_roles(tree):
        names = [f"{MARKS_TASK}.tools.{number}.label" for number in range(len(roles))]
        tools = [
            {"type": TOOL_OF[role["shape"]], "label": name, "details": []}
            for role, name in zip(roles, names, strict=True)
        ]
        labels = {name: role["label"] for role, name in zip(roles, names, strict=True)}
        instruction = f"{MARKS_TASK}.instruction"
        task = {"type": "drawing", "instruction": instruction, "tools": tools}
        yield MARKS_TASK, task, {instruction: "Marks", **labels}
