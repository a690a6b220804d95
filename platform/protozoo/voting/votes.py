"""Takes votes, changes and moves them; notes what volunteers skip and want to find again."""

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from protozoo.accounts.models import Volunteer
from protozoo.voting.exceptions import (
    AlreadyVotedError,
    AnswerError,
    CampaignClosedError,
    ClientUuidTakenError,
    ItemRetiredError,
    ItemUnknownError,
    QuestionOutdatedError,
    VoteUnknownError,
)
from protozoo.voting.marks import marks_check
from protozoo.voting.models import (
    Campaign,
    Favourite,
    Item,
    Lease,
    Question,
    Skip,
    Vote,
)
from protozoo.voting.observers import observers_tell
from protozoo.voting.proposals import (
    chunks,
)
from protozoo.voting.remarks import Remarks, remarks_check
from protozoo.voting.selectors import question_newest
from protozoo.voting.services import items_retire
from protozoo.voting.trees import tree_leaf

# Whoever was handed an item may answer so long after, even if it is settled: networks fail.
LATE_ANSWERS: Final = timedelta(days=7)
# Whoever comes back from lunch has not looked at the picture for longer than this.
MAX_SECONDS: Final = 600.0
_FIRST_COUNTS: Final = gettext_lazy(
    "You have answered this item already; your first answer counts."
)


# Votes --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class GridAnswer:
    """What a volunteer says of a grid: a verdict, and the subjects that do not belong."""

    verdict: str
    ticked: Sequence[int] = ()


@dataclass(frozen=True)
class _Ballot:
    """A vote as it arrives."""

    volunteer: Volunteer
    question_version: int
    path: list[str]
    grid: GridAnswer | None
    client_uuid: uuid.UUID
    supersedes: uuid.UUID | None
    seconds: float
    answered_at: datetime
    remarks: Remarks
    marks: Sequence[Mapping[str, Any]]


def vote_record(
    *,
    volunteer: Volunteer,
    item_id: int,
    question_version: int,
    path: Sequence[str] = (),
    grid: GridAnswer | None = None,
    client_uuid: uuid.UUID,
    seconds: float,
    answered_at: datetime,
    supersedes: uuid.UUID | None = None,
    remarks: Remarks | None = None,
    marks: Sequence[Mapping[str, Any]] = (),
) -> tuple[Vote, bool]:
    """Take a vote, or find it if it has come before; tell which.

    A grid is answered with `grid`, all other items with a `path` through the question tree. With
    `supersedes`, the client_uuid of the volunteer's earlier vote on the item, the new vote counts
    in place of the one that did so far; the number of votes stays, and so does what has retired.
    """
    if not (math.isfinite(seconds) and seconds >= 0):
        raise AnswerError(f"seconds must be a number that is not negative, got {seconds}.")
    ballot = _Ballot(
        volunteer=volunteer,
        question_version=question_version,
        path=list(path),
        grid=grid,
        client_uuid=client_uuid,
        supersedes=supersedes,
        seconds=seconds,
        answered_at=answered_at,
        remarks=remarks_check(remarks or Remarks()),
        marks=marks,
    )
    with transaction.atomic():
        item = _item_locked(item_id)
        earlier = _vote_of_uuid(client_uuid, volunteer)
        if earlier is not None:
            return earlier, False
        if item is None:
            raise ItemUnknownError(f"There is no item {item_id}.")
        vote, is_new = _vote_add(item, ballot)
        if is_new:
            observers_tell(vote)
        return vote, is_new


def _item_locked(item_id: int) -> Item | None:
    """Let one vote on an item follow the other; what points at the item stays free."""
    items = Item.objects.select_for_update(of=("self",), no_key=True)
    return items.select_related("campaign").filter(pk=item_id).first()


def _vote_of_uuid(client_uuid: uuid.UUID, volunteer: Volunteer) -> Vote | None:
    vote = Vote.objects.filter(client_uuid=client_uuid).first()
    if vote is not None and vote.volunteer_id != volunteer.pk:
        raise ClientUuidTakenError(
            "This client_uuid belongs to another volunteer's vote; make a new one."
        )
    return vote


def _vote_add(item: Item, ballot: _Ballot) -> tuple[Vote, bool]:
    now = timezone.now()
    campaign = item.campaign
    if campaign.state != Campaign.State.OPEN:
        raise CampaignClosedError(
            _("The campaign “%(title)s” takes no votes now.") % {"title": campaign.title}
        )
    former = _vote_former(item, ballot)
    held = item.leases.filter(volunteer=ballot.volunteer, expires_at__gt=now - LATE_ANSWERS)
    lease = held.select_related("question").first()
    if item.retired_at is not None and lease is None and former is None:
        raise ItemRetiredError(
            _("This item has enough votes by now; please go on with the next one.")
        )
    question = _question_of(campaign, ballot.question_version, former or lease)
    answer, ticked = _answer_of(item, question, ballot)
    vote = Vote(
        item=item,
        volunteer=ballot.volunteer,
        question=question,
        client_uuid=ballot.client_uuid,
        answer=answer,
        path=ballot.path,
        ticked=ticked,
        seconds=min(ballot.seconds, MAX_SECONDS),
        answered_at=max(campaign.created_at, min(ballot.answered_at, now)),
        supersedes=former,
        tags=ballot.remarks.tags,
        is_strange=ballot.remarks.is_strange,
        comment=ballot.remarks.comment,
        marks=marks_check(ballot.marks, tree=question.tree, item=item),
    )
    try:
        with transaction.atomic():
            if former is not None:
                former.superseded_at = now
                former.save(update_fields=["superseded_at"])
            vote.save(force_insert=True)
    except IntegrityError:
        return _vote_lost_race(ballot)
    if former is None:
        _item_count(item, now)
    _leases_drop(item, ballot.volunteer, now)
    return vote, True


def _vote_former(item: Item, ballot: _Ballot) -> Vote | None:
    """Find the vote that the new one takes the place of; without `supersedes` there must be none.

    Whichever of their earlier votes the volunteer names, the one that counts by now gives way.
    """
    earlier = item.votes.filter(volunteer=ballot.volunteer)
    if ballot.supersedes is None:
        if earlier.exists():
            raise AlreadyVotedError(str(_FIRST_COUNTS))
        return None
    if not earlier.filter(client_uuid=ballot.supersedes).exists():
        raise VoteUnknownError(_("You have no earlier answer to this item that could be changed."))
    if item.kind == Item.Kind.GOLD:
        raise AlreadyVotedError(
            _("You have been told what this one is, so your first answer to it counts.")
        )
    return earlier.select_related("question").get(superseded_at=None)


def _answer_of(item: Item, question: Question, ballot: _Ballot) -> tuple[str, list[int] | None]:
    """Check an answer against its item; give the leaf or verdict, and a grid's ticks."""
    if item.kind != Item.Kind.GRID:
        if ballot.grid is not None:
            raise AnswerError("This item shows no grid; answer it with a path, not with a grid.")
        return tree_leaf(question.tree, ballot.path, kind=item.kind)["key"], None
    if ballot.grid is None or ballot.path:
        raise AnswerError("This item shows a grid; answer it with a grid, not with a path.")
    return ballot.grid.verdict, _ticks_of(item, ballot.grid)


def _ticks_of(item: Item, answer: GridAnswer) -> list[int]:
    if answer.verdict not in Vote.Verdict:
        verdicts = ", ".join(Vote.Verdict)
        raise AnswerError(f"The verdict on a grid is one of {verdicts}; got {answer.verdict!r}.")
    if answer.ticked and answer.verdict == Vote.Verdict.TOO_MIXED:
        raise AnswerError("A grid that is too mixed to say has no ticks.")
    if len(set(answer.ticked)) != len(answer.ticked):
        raise AnswerError("A member of a grid is ticked once at most.")
    strangers = set(answer.ticked) - set(item.members.values_list("subject_id", flat=True))
    if strangers:
        raise AnswerError(f"Subject {min(strangers)} is no member of this grid.")
    return list(answer.ticked)


def _vote_lost_race(ballot: _Ballot) -> tuple[Vote, bool]:
    """Find the vote with the same client_uuid that another item's transaction wrote meanwhile."""
    earlier = _vote_of_uuid(ballot.client_uuid, ballot.volunteer)
    if earlier is None:
        raise AlreadyVotedError(str(_FIRST_COUNTS))
    return earlier, False


def _question_of(campaign: Campaign, version: int, shown: Vote | Lease | None) -> Question:
    """Find the newest version of the question, or the one that the volunteer was shown."""
    if shown is not None and version == shown.question.version:
        return shown.question
    newest = question_newest(campaign)
    if version == newest.version:
        return newest
    if version > newest.version or version < 1:
        raise AnswerError(f"The question has no version {version}; the newest is {newest.version}.")
    raise QuestionOutdatedError(
        _("The question has changed since version %(version)s; please load the page again.")
        % {"version": version}
    )


def _item_count(item: Item, now: datetime) -> None:
    item.n_votes += 1
    because = _retirement(item)
    if item.retired_at is None and because:
        item.retired_at, item.retired_because = now, because
    item.save(update_fields=["n_votes", "retired_at", "retired_because"])


def _retirement(item: Item) -> str:
    """Say why an item's number of votes retires it, if it does; gold measures people for ever."""
    if item.kind == Item.Kind.GOLD:
        return ""
    if item.n_votes >= item.campaign.votes_enough(item.kind):
        return Item.Retirement.COUNT
    return Item.Retirement.CAP if item.n_votes >= item.campaign.votes_cap else ""


@transaction.atomic
def items_count(*, n_new: Mapping[int, int]) -> None:
    """Count new votes that were written at once, by the keys of their items."""
    for chunk in chunks(sorted(n_new)):
        items = Item.objects.select_for_update(of=("self",), no_key=True).select_related("campaign")
        found = list(items.filter(pk__in=chunk).order_by("pk"))
        for item in found:
            item.n_votes += n_new[item.pk]
        with connection.cursor() as cursor:  # a tenth of the time of bulk_update
            cursor.executemany(
                "UPDATE voting_item SET n_votes = %s WHERE id = %s",
                [(item.n_votes, item.pk) for item in found],
            )
        for because in (Item.Retirement.COUNT, Item.Retirement.CAP):
            enough = [item.pk for item in found if _retirement(item) == because]
            items_retire(items=enough, because=because)


def _leases_drop(item: Item, volunteer: Volunteer, now: datetime) -> None:
    """Remove the volunteer's lease and those that are of no use, but wait for nobody's."""
    spent = item.leases.filter(Q(volunteer=volunteer) | Q(expires_at__lte=now - LATE_ANSWERS))
    free = spent.select_for_update(skip_locked=True).values_list("pk", flat=True)
    Lease.objects.filter(pk__in=list(free)).delete()


# Skipping, and finding again ----------------------------------------------------------------
def item_skip(*, item: Item, volunteer: Volunteer) -> None:
    """Show an item to a volunteer again only when nothing else is left."""
    Skip.objects.bulk_create([Skip(item=item, volunteer=volunteer)], ignore_conflicts=True)
    Lease.objects.filter(item=item, volunteer=volunteer).delete()


def favourite_add(*, item: Item, volunteer: Volunteer) -> None:
    """Let a volunteer find an item again."""
    Favourite.objects.bulk_create(
        [Favourite(item=item, volunteer=volunteer)], ignore_conflicts=True
    )


def favourite_remove(*, item: Item, volunteer: Volunteer) -> None:
    """Take an item off a volunteer's favourites, if it is there."""
    Favourite.objects.filter(item=item, volunteer=volunteer).delete()


# Two volunteers who turn out to be one ------------------------------------------------------
@transaction.atomic
def votes_move(*, giver: Volunteer, taker: Volunteer) -> int:
    """Hand one volunteer's votes to another; where both answered, the earlier vote counts."""
    if giver.pk == taker.pk:
        return 0
    touched = Item.objects.filter(Exists(Vote.objects.filter(item=OuterRef("pk"), volunteer=giver)))
    items = {
        item.pk: item
        for item in touched.select_related("campaign")
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    }
    later = list(_later_votes(giver, taker))
    now = timezone.now()
    Vote.objects.filter(pk__in=[vote.pk for vote in later]).update(superseded_at=now)
    for vote in later:
        _item_uncount(items[vote.item_id])
    for held in (Lease.objects, Skip.objects, Favourite.objects):
        _held_move(held.order_by(), giver, taker)
    return Vote.objects.filter(volunteer=giver).update(volunteer=taker)


def _later_votes(giver: Volunteer, taker: Volunteer) -> Iterator[Vote]:
    """Give, for each item that both answered, the vote that shall no longer count."""
    counting = Vote.objects.filter(superseded_at=None)
    of_taker = {vote.item_id: vote for vote in _shared(counting.filter(volunteer=taker), giver)}
    for vote in _shared(counting.filter(volunteer=giver), taker):
        yield max(vote, of_taker[vote.item_id], key=lambda each: (each.received_at, each.pk))


def _shared(votes: QuerySet[Vote], other: Volunteer) -> QuerySet[Vote]:
    of_other = Vote.objects.filter(item=OuterRef("item"), volunteer=other, superseded_at=None)
    return votes.filter(Exists(of_other))


def _item_uncount(item: Item) -> None:
    """Count one vote less; an item that has too few again goes back into the queue."""
    item.n_votes -= 1
    by_number = item.retired_because in {Item.Retirement.COUNT, Item.Retirement.CAP}
    if by_number and not _retirement(item):
        item.retired_at, item.retired_because = None, ""
    item.save(update_fields=["n_votes", "retired_at", "retired_because"])


def _held_move(held: QuerySet[Any], giver: Volunteer, taker: Volunteer) -> None:
    """Hand over what a volunteer holds once for each item, unless the taker has the same."""
    same = held.filter(volunteer=taker, item=OuterRef("item"))
    held.filter(Exists(same), volunteer=giver).delete()
    held.filter(volunteer=giver).update(volunteer=taker)
