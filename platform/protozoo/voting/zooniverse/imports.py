"""Brings a classification export of Zooniverse in: every row is kept, most become votes."""

import random
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from protozoo.accounts.models import Volunteer
from protozoo.jobs.services import Report, silent
from protozoo.voting.exceptions import ZooniverseError
from protozoo.voting.models import (
    Campaign,
    GridMember,
    Item,
    Vote,
    ZooniverseClassification,
    ZooniverseVolunteer,
)
from protozoo.voting.selectors import question_newest
from protozoo.voting.votes import items_count
from protozoo.voting.zooniverse.answers import AnswerFinder
from protozoo.voting.zooniverse.ballots import Ballot, BallotMaker, ItemKey, items_known
from protozoo.voting.zooniverse.own import own_read
from protozoo.voting.zooniverse.subjects import SubjectMatcher
from skysort.errors import InputError
from skysort.zooniverse.answers import Tasks
from skysort.zooniverse.classifications import Classification, ClassificationFile
from skysort.zooniverse.rows import ClassificationRow, Fault, columns_of

Outcome = ZooniverseClassification.Outcome

# Rows that are written at once: a transaction of a second at most.
BATCH_SIZE: Final = 1000
FAULTS_KEPT: Final = 20
# Rows between two words on how far the first look at a file has come.
LOOKED_OVER: Final = 50_000
# Makes the same vote of the same classification, so that no race makes two.
NAMESPACE: Final = uuid.UUID("b8b35b5d-4b5e-4f0c-93b8-6a4a5a4c1d57")


@dataclass
class ZooniverseReport:
    """What became of an export."""

    n_rows: int = 0
    n_new: int = 0
    n_known: int = 0
    n_own: int = 0
    n_repeated: int = 0
    n_faults: int = 0
    n_volunteers: int = 0
    n_subjects: int = 0
    n_subjects_known: int = 0
    task: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    unknown_labels: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    @property
    def n_votes(self) -> int:
        return self.outcomes[Outcome.VOTE]

    def fault_keep(self, fault: Fault) -> None:
        """Remember the first faults; all are counted."""
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)


@dataclass(frozen=True)
class ZooniverseChoices:
    """How an export is to be read; empty values leave it to the export and the question."""

    workflow: str = ""
    task: str = ""
    answers: Mapping[str, str | None] = field(default_factory=dict)
    match: str = ""


def zooniverse_import(
    *,
    campaign: Campaign,
    path: Path,
    choices: ZooniverseChoices | None = None,
    is_rehearsal: bool = False,
    report: Report = silent,
) -> ZooniverseReport:
    """Keep every row that is not there yet, and make votes of those that answer the question.

    Rows that made no vote before are tried again. Of a volunteer's answers to one subject the
    first counts. A rehearsal does all of it, and takes it back at the end.
    """
    chosen = choices or ZooniverseChoices()
    try:
        tasks, n_rows = _look_over(path, report)
        with transaction.atomic() if is_rehearsal else nullcontext():
            found = _import(campaign, path, chosen, tasks, n_rows, report)
            if is_rehearsal:
                transaction.set_rollback(True)
    except InputError as error:
        raise ZooniverseError(f"{error}.") from error
    return found


def _look_over(path: Path, report: Report) -> tuple[Tasks, int]:
    """Count rows and tasks; a file that is cut off is refused before anything is written."""
    tasks = Tasks()
    file = ClassificationFile(path, on_fault=lambda _: None)
    for classification in file:
        tasks.add(classification)
        if file.n_rows % LOOKED_OVER == 0:
            report(0, 0, f"{file.n_rows} rows looked over")
    return tasks, file.n_rows


def _import(
    campaign: Campaign,
    path: Path,
    choices: ZooniverseChoices,
    tasks: Tasks,
    n_rows: int,
    report: Report,
) -> ZooniverseReport:
    finder = AnswerFinder(
        question_newest(campaign).tree,
        tasks,
        workflow=choices.workflow,
        task=choices.task,
        answers=choices.answers,
    )
    matcher = SubjectMatcher(campaign.sorting.survey, column=choices.match)
    maker = BallotMaker(campaign, finder, matcher)
    result = ZooniverseReport(task=finder.task)
    file = ClassificationFile(path, on_fault=result.fault_keep)
    for batch in _batches(file):
        with transaction.atomic():
            _batch_write(campaign, batch, maker, result)
        report(file.n_rows, n_rows, f"{result.n_votes} votes")
    result.n_rows, result.n_repeated, result.n_faults = file.n_rows, file.n_repeated, file.n_faults
    result.n_subjects, result.n_subjects_known = maker.n_subjects
    result.unknown_labels = finder.unknown_labels
    return result


def _batches(rows: Iterable[Classification]) -> Iterator[list[Classification]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH_SIZE)):
        yield batch


# One batch ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Decided:
    """A row that is kept, and the vote that it makes or why it makes none."""

    row: ZooniverseClassification
    classification: Classification
    ballot: Ballot | Outcome


def _batch_write(
    campaign: Campaign,
    batch: Sequence[Classification],
    maker: BallotMaker,
    result: ZooniverseReport,
) -> None:
    # One import after the other; volunteers go on voting meanwhile.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    open_rows = _rows_open(campaign, batch, result)
    maker.learn([classification for _, classification in open_rows])
    decided = [_Decided(row, each, maker.make(each)) for row, each in open_rows]
    ballots = [(each, each.ballot) for each in decided if isinstance(each.ballot, Ballot)]
    volunteers = _volunteers(ballots, result)
    items = _items(campaign, [ballot for _, ballot in ballots])
    votes = _votes(campaign, ballots, volunteers, items)
    for each in decided:
        vote = votes.get(each.classification.number)
        missed = Outcome.REPEATED if isinstance(each.ballot, Ballot) else each.ballot
        each.row.vote, each.row.outcome = vote, Outcome.VOTE if vote else missed
        result.outcomes[each.row.outcome] += 1
    _rows_write([each.row for each in decided])


def _rows_open(
    campaign: Campaign, batch: Sequence[Classification], result: ZooniverseReport
) -> list[tuple[ZooniverseClassification, Classification]]:
    """Pair classifications with their rows, new or kept, as far as they have made no vote yet."""
    numbers = [each.number for each in batch]
    kept = {
        row.classification_id: row
        for row in campaign.zooniverse_classifications.filter(classification_id__in=numbers)
    }
    own = {each.number: answer for each in batch if (answer := own_read(each.metadata))}
    home = set(
        Vote.objects.filter(
            item__campaign=campaign, client_uuid__in=[one.client_uuid for one in own.values()]
        ).values_list("client_uuid", flat=True)
    )
    found = []
    for each in batch:
        if each.number in own and own[each.number].client_uuid in home:
            result.n_own += 1
            continue
        row = kept.get(each.number)
        if row is None:
            result.n_new += 1
            row = ZooniverseClassification(campaign=campaign, **_cells(each.row))
        else:
            result.n_known += 1
        if row.vote_id is None:
            found.append((row, each))
    return found


def _cells(row: ClassificationRow) -> dict[str, Any]:
    cells = {name: getattr(row, name) for name in columns_of(ClassificationRow)}
    return {**cells, "classification_id": int(row.classification_id)}


def _rows_write(rows: Sequence[ZooniverseClassification]) -> None:
    ZooniverseClassification.objects.bulk_create([row for row in rows if row.pk is None])
    known = [row for row in rows if row.pk is not None]
    ZooniverseClassification.objects.bulk_update(known, ["vote", "outcome"])


def _volunteers(
    ballots: Sequence[tuple[_Decided, Ballot]], result: ZooniverseReport
) -> dict[str, Volunteer]:
    """Find or make one volunteer for each person of Zooniverse, by their keys."""
    people = {each.classification.volunteer: (each, ballot) for each, ballot in ballots}
    known = ZooniverseVolunteer.objects.filter(key__in=list(people)).select_related("volunteer")
    found = {person.key: person.volunteer for person in known}
    new = {key: pair for key, pair in people.items() if key not in found}
    made = Volunteer.objects.bulk_create(
        Volunteer(is_simulated=ballot.is_simulated) for _, ballot in new.values()
    )
    ZooniverseVolunteer.objects.bulk_create(
        ZooniverseVolunteer(volunteer=volunteer, key=key, name=each.classification.row.user_name)
        for volunteer, (key, (each, _)) in zip(made, new.items(), strict=True)
    )
    result.n_volunteers += len(made)
    return {**found, **dict(zip(new, made, strict=True))}


def _items(campaign: Campaign, ballots: Sequence[Ballot]) -> dict[ItemKey, int]:
    """Find or make the items of the votes, by their identities."""
    wanted = {ballot.item.identity: ballot for ballot in ballots}
    known = items_known(campaign, wanted)
    new = {identity: ballot for identity, ballot in wanted.items() if identity not in known}
    made = Item.objects.bulk_create(_item(campaign, ballot.item) for ballot in new.values())
    GridMember.objects.bulk_create(
        GridMember(item=item, subject_id=subject, place=place)
        for item, ballot in zip(made, new.values(), strict=True)
        for place, subject in enumerate(ballot.places, start=1)
    )
    return {**known, **{key: item.pk for key, item in zip(new, made, strict=True)}}


def _item(campaign: Campaign, key: ItemKey) -> Item:
    return Item(
        campaign=campaign,
        kind=key.kind,
        prototype_id=key.prototype or None,
        subject_id=key.subject or None,
        label=key.label,
        order=random.random(),  # noqa: S311  # a queue, not a secret
    )


def _votes(
    campaign: Campaign,
    ballots: Sequence[tuple[_Decided, Ballot]],
    volunteers: Mapping[str, Volunteer],
    items: Mapping[ItemKey, int],
) -> dict[int, Vote]:
    """Write the votes, by the numbers of their classifications; a volunteer's first one counts."""
    voters = [volunteer.pk for volunteer in volunteers.values()]
    answered = set(
        Vote.objects.filter(
            volunteer__in=voters, item__in={items[ballot.item.identity] for _, ballot in ballots}
        ).values_list("item_id", "volunteer_id")
    )
    votes: dict[int, Vote] = {}
    for each, ballot in ballots:
        vote = _vote(campaign, each, ballot)
        vote.item_id = items[ballot.item.identity]
        vote.volunteer = volunteers[each.classification.volunteer]
        if (vote.item_id, vote.volunteer_id) not in answered:
            answered.add((vote.item_id, vote.volunteer_id))
            votes[each.classification.number] = vote
    Vote.objects.bulk_create(votes.values())
    items_count(n_new=Counter(vote.item_id for vote in votes.values()))
    return votes


def _vote(campaign: Campaign, each: _Decided, ballot: Ballot) -> Vote:
    return Vote(
        question=ballot.question,
        client_uuid=uuid.uuid5(NAMESPACE, f"{campaign.pk}/{each.classification.number}"),
        answer=ballot.answer,
        path=ballot.path,
        ticked=ballot.ticked,
        seconds=ballot.seconds,
        answered_at=ballot.answered_at,
        tags=list(ballot.remarks.tags),
        is_strange=ballot.remarks.is_strange,
        comment=ballot.remarks.comment,
        marks=list(ballot.marks),
    )
