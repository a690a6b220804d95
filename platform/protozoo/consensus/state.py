"""Keeps what a run has learnt, so that the next one goes on from there.

One file of arrays beside the database, written whole or not at all. Without it, or when the
question or the map has changed, a run begins afresh: nothing but time is lost.
"""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from protozoo.consensus.ballots import Ballots, Places
from protozoo.voting.models import Campaign, Question
from skysort.consensus.dawid_skene import DawidSkeneFit
from skysort.consensus.head import HeadChoice
from skysort.consensus.merge import MODEL, MergeResult
from skysort.images.whole_file import write_whole

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeadStart:
    """How stiff the head was, so that only what is near is compared again."""

    choice: HeadChoice | None


@dataclass(frozen=True)
class Start:
    """What a merge takes over from an earlier one."""

    fit: DawidSkeneFit
    head: HeadStart
    machine_probabilities: NDArray[np.float64]

    def as_result(self) -> MergeResult:
        """Give it the name by which the merge asks for it; it reads nothing else."""
        return cast(MergeResult, self)


@dataclass(frozen=True)
class State:
    """A start, and the volunteers (W,) that its matrices belong to."""

    start: Start
    volunteers: NDArray[np.int64]


def merge_folder(campaign: Campaign) -> Path:
    """Give the folder of a campaign's merges."""
    return Path(settings.STORAGE_FOLDER) / "consensus" / campaign.slug


def state_save(
    campaign: Campaign, question: Question, places: Places, ballots: Ballots, result: MergeResult
) -> None:
    """Write down what the next merge takes over."""
    fit = {f"fit_{each.name}": getattr(result.fit, each.name) for each in fields(DawidSkeneFit)}
    fit["fit_item_probabilities"] = np.empty((0, len(ballots.votes.classes)))
    with write_whole(_path(campaign)) as file:
        np.savez(
            file,
            key=np.array(_key(question, places)),
            volunteers=ballots.volunteers,
            choice=np.array(json.dumps(_choice(result))),
            machine=result.machine_probabilities.astype(np.float32),
            **fit,
        )


def state_load(campaign: Campaign, question: Question, places: Places) -> State | None:
    """Read what an earlier merge of the same question and map has left."""
    path = _path(campaign)
    if not path.exists():
        return None
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            if str(file["key"]) != _key(question, places):
                return None
            return _state({name: file[name] for name in file.files})
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        _LOG.warning("%s cannot be read, so the merge begins afresh: %s", path, error)
        return None


def _state(arrays: dict[str, NDArray[Any]]) -> State:
    fit: dict[str, Any] = {}
    for each in fields(DawidSkeneFit):
        value = arrays[f"fit_{each.name}"]
        fit[each.name] = value if value.ndim else value.item()
    machine = arrays["machine"].astype(np.float64)
    record = json.loads(str(arrays["choice"]))
    choice = record and HeadChoice(
        record["follow"], tuple(record["strengths"]), tuple(record["shares"])
    )
    start = Start(DawidSkeneFit(**fit), HeadStart(choice), machine)
    return State(start, arrays["volunteers"].astype(np.int64))


def _choice(result: MergeResult) -> dict[str, Any] | None:
    return None if result.head.choice is None else asdict(result.head.choice)


def _path(campaign: Campaign) -> Path:
    return merge_folder(campaign) / "state.npz"


def _key(question: Question, places: Places) -> str:
    """Tell question, model and map from others."""
    about = json.dumps([MODEL, question.pk, len(places.prototypes)])
    return hashlib.sha256(about.encode() + places.subjects.tobytes()).hexdigest()
