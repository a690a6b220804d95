"""A campaign's answers as rows of a classification export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from protozoo.voting.models import Campaign, Item, Vote
from protozoo.voting.trees import Tree, tree_leaves, tree_roles
from protozoo.voting.zooniverse.identities import (
    PROTOTYPE_IDS,
    READ_SIZE,
    Identities,
    about_prototype,
    about_subject,
    moment,
    pseudonym,
    reason_of,
    stamp,
)
from protozoo.voting.zooniverse.own import BLOCK, own_block
from skysort.zooniverse.rows import ClassificationRow, columns_of, guarded, json_text

# Keys of a tree are small letters, so that these are never questions.
GRID_TASK: Final = "GRID"
TOO_MIXED: Final = "Too mixed to say"
TAGS_TASK: Final = "TAGS"
COMMENT_TASK: Final = "COMMENT"
STRANGE_TASK: Final = "STRANGE"
MARKS_TASK: Final = "MARKS"


@dataclass(frozen=True)
class _Shown:
    """What an item shows: ids of its subjects in the export, and what is known of each."""

    ids: list[str]
    data: dict[str, dict[str, Any]]
    identifiers: dict[int, str]


class ClassificationTable:
    """What came from Zooniverse as it came, then our own votes that count."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._ids = Identities(campaign)

    def __iter__(self) -> Iterator[ClassificationRow]:
        names = columns_of(ClassificationRow)
        kept = self._campaign.zooniverse_classifications.order_by("pk")
        for row in kept.iterator(chunk_size=READ_SIZE):
            yield ClassificationRow(**{name: str(getattr(row, name)) for name in names})
        for vote in self._own_votes():
            yield self._classification(vote)

    def _own_votes(self) -> Iterator[Vote]:
        votes = (
            Vote.objects.filter(
                item__campaign=self._campaign,
                superseded_at=None,
                zooniverse_classification=None,
            )
            .select_related("item__prototype__sorting", "item__subject", "question", "volunteer")
            .prefetch_related("item__members__subject")
            .order_by("pk")
        )
        return votes.iterator(chunk_size=READ_SIZE)

    def _classification(self, vote: Vote) -> ClassificationRow:
        shown = self._shown(vote.item)
        started = vote.answered_at - timedelta(seconds=vote.seconds)
        metadata = {
            "source": BLOCK,
            "started_at": stamp(started),
            "finished_at": stamp(vote.answered_at),
            BLOCK: own_block(vote, shown.identifiers),
        }
        return ClassificationRow(
            classification_id=str(self._ids.first_vote + vote.pk),
            user_name=pseudonym(vote.volunteer),
            user_id="",
            user_ip="",
            workflow_id=self._ids.workflow,
            workflow_name=guarded(self._campaign.title),
            workflow_version=f"{vote.question.version}.1",
            created_at=moment(vote.received_at),
            gold_standard="",
            expert="",
            metadata=json_text(metadata),
            annotations=json_text(list(self._annotations(vote, shown))),
            subject_data=json_text(shown.data),
            subject_ids=";".join(shown.ids),
        )

    def _annotations(self, vote: Vote, shown: _Shown) -> Iterator[dict[str, Any]]:
        if vote.ticked is None:
            yield from _answers(vote)
        else:
            yield _grid_answer(vote, shown)
        if vote.tags:
            yield _text(TAGS_TASK, "Tags", ", ".join(vote.tags))
        if vote.comment:
            yield _text(COMMENT_TASK, "Comment", vote.comment)
        if vote.is_strange:
            yield {"task": STRANGE_TASK, "task_label": "Something strange?", "value": "Yes"}
        if vote.marks:
            drawn = [self._drawn(mark, vote.question.tree) for mark in vote.marks]
            yield {"task": MARKS_TASK, "task_label": "Marks", "value": drawn}

    def _drawn(self, mark: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
        """Draw a mark: pixels from the upper left corner, y down; without a scale arcseconds."""
        roles = tree_roles(tree)
        tool = next((n for n, role in enumerate(roles) if role["key"] == mark["role"]), None)
        survey = self._campaign.sorting.survey
        scale = survey.pixel_scale_arcsec or 1.0
        width, height = (mark.get(side, 0.0) / scale for side in ("width_arcsec", "height_arcsec"))
        drawn = {
            "tool": tool,
            "tool_label": mark["role"] if tool is None else roles[tool]["label"],
            "frame": 0,
            "details": [],
            "x": survey.image_size / 2 + mark["x_arcsec"] / scale - width / 2,
            "y": survey.image_size / 2 - mark["y_arcsec"] / scale - height / 2,
        }
        return drawn | ({"width": width, "height": height} if mark["shape"] == "box" else {})

    def _shown(self, item: Item) -> _Shown:
        if item.kind == Item.Kind.GRID:
            subjects = [member.subject for member in item.members.all()]
        elif item.subject is not None:
            subjects = [item.subject]
        else:
            assert item.prototype is not None  # the database's constraint item_shows_one_thing
            key = str(PROTOTYPE_IDS + item.prototype.pk)
            about = {"retired": self._retired(item, key), **about_prototype(item.prototype)}
            return _Shown([key], {key: about}, {})
        ids = [self._ids.subject(subject.pk) for subject in subjects]
        data = {
            key: {"retired": self._retired(item, key), **about_subject(subject)}
            for key, subject in zip(ids, subjects, strict=True)
        }
        return _Shown(ids, data, {subject.pk: subject.identifier for subject in subjects})

    def _retired(self, item: Item, key: str) -> dict[str, Any] | None:
        if item.retired_at is None:
            return None
        return {
            "workflow_id": int(self._ids.workflow),
            "classifications_count": item.n_votes,
            "retired_at": stamp(item.retired_at),
            "subject_id": int(key),
            "retirement_reason": reason_of(item),
        }


def _answers(vote: Vote) -> Iterator[dict[str, Any]]:
    """Give the questions on the way through the tree, each with the words of its answer."""
    tree: Tree = vote.question.tree
    question: str | None = tree["root"]
    for key in vote.path:
        assert question is not None  # a path was checked against its tree when it came
        step = tree["questions"][question]
        answer = next(one for one in step["answers"] if one["key"] == key)
        yield {"task": question, "task_label": step["text"], "value": answer["label"]}
        question = answer.get("next")


def _grid_answer(vote: Vote, shown: _Shown) -> dict[str, Any]:
    if vote.answer == Vote.Verdict.TOO_MIXED:
        chosen = [TOO_MIXED]
    else:
        chosen = [shown.identifiers[subject] for subject in vote.ticked or []]
    leaves = tree_leaves(vote.question.tree)
    # Words of the tree itself: an export says the same in every language.
    title = next((leaf["label"] for leaf in leaves if leaf["key"] == vote.item.label), "these")
    return {"task": GRID_TASK, "task_label": f"Which are not: {title}?", "value": chosen}


def _text(task: str, label: str, value: str) -> dict[str, Any]:
    return {"task": task, "task_label": label, "taskType": "text", "value": value}
