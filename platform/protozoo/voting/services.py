"""Opens campaigns, hands out items and takes votes."""

import math
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from protozoo.accounts.models import Volunteer
from protozoo.sorting.models import Sorting
from protozoo.voting.exceptions import (
    AlreadyVotedError,
    AnswerError,
    CampaignClosedError,
    CampaignError,
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
    GridMember,
    Item,
    Lease,
    Question,
    Skip,
    Vote,
)
from protozoo.voting.observers import observers_tell
from protozoo.voting.proposals import (
    GridProposal,
    ItemProposal,
    ProposalKey,
    SubjectProposal,
    chunks,
    grid_key,
    label_check,
    place_check,
    places_of,
    priority_check,
    proposals_check,
)
from protozoo.voting.queue import items_choose
from protozoo.voting.remarks import Remarks, remarks_check, tags_check
from protozoo.voting.selectors import question_newest
from protozoo.voting.trees import default_tree, tree_check, tree_classes, tree_leaf

MAX_SLUG: Final = 60
# Without a wish, this share of the subjects is shown as outliers, but no more than so many.
OUTLIER_FRACTION: Final = 0.05
MAX_OUTLIERS: Final = 200
# Long enough for a volunteer who reads the help; others get the item again soon after.
LEASE_TIME: Final = timedelta(minutes=10)
# Whoever was handed an item may answer so long after, even if it is settled: networks fail.
LATE_ANSWERS: Final = timedelta(days=7)
# An item with so many votes is asked no more, unless its campaign asks for more votes anyway.
VOTES_CAP: Final = 12
# Whoever comes back from lunch has not looked at the picture for longer than this.
MAX_SECONDS: Final = 600.0
BATCH_SIZE: Final = 1000
_FIRST_COUNTS: Final = gettext_lazy(
    "You have answered this item already; your first answer counts."
)


# Campaigns ----------------------------------------------------------------------------------
@transaction.atomic
def campaign_open(
    *,
    sorting: Sorting,
    slug: str,
    title: str,
    introduction: str = "",
    tree: object = None,
    votes_to_retire: int = 5,
    votes_cap: int | None = None,
    n_outliers: int | None = None,
    suggested_tags: Iterable[str] = (),
    is_draft: bool = False,
    seed: int = 0,
) -> Campaign:
    """Put a question to volunteers over a map; opened again, it is the same campaign.

    A draft is seen by operators alone until it is opened again without `is_draft`.
    """
    if votes_cap is None:
        votes_cap = max(VOTES_CAP, votes_to_retire)
    checked = default_tree() if tree is None else tree_check(tree)
    _check_plan(sorting, slug, votes_to_retire, n_outliers)
    if votes_cap < 1:
        raise CampaignError(f"votes_cap must be at least 1, got {votes_cap}.")
    campaign, created = Campaign.objects.get_or_create(
        slug=slug,
        defaults={
            "sorting": sorting,
            "title": title,
            "introduction": introduction,
            "votes_to_retire": votes_to_retire,
            "votes_cap": votes_cap,
            "suggested_tags": tags_check(suggested_tags),
            "state": Campaign.State.DRAFT if is_draft else Campaign.State.OPEN,
        },
    )
    if campaign.sorting_id != sorting.pk:
        raise CampaignError(
            f"The campaign {slug!r} belongs to {campaign.sorting}; take another name."
        )
    if created:
        Question.objects.create(campaign=campaign, version=1, tree=checked)
        _items_make(campaign, n_outliers=n_outliers, seed=seed)
    elif campaign.state == Campaign.State.DRAFT and not is_draft:
        campaign_reopen(campaign=campaign)
    return campaign


def _check_plan(sorting: Sorting, slug: str, votes_to_retire: int, n_outliers: int | None) -> None:
    # The slug names the folder of the campaign's releases, so it must never hold '/' or '..'.
    if not slug or slug != slugify(slug) or len(slug) > MAX_SLUG:
        raise CampaignError(
            f"A campaign's slug is made of at most {MAX_SLUG} small letters, digits and '-', got"
            f" {slug!r}."
        )
    if sorting.state != Sorting.State.READY:
        raise CampaignError(f"{sorting} is not ready yet; wait until every subject has its place.")
    if votes_to_retire < 1:
        raise CampaignError(f"votes_to_retire must be at least 1, got {votes_to_retire}.")
    if n_outliers is not None and n_outliers < 0:
        raise CampaignError(f"n_outliers must not be negative, got {n_outliers}.")


def _items_make(campaign: Campaign, *, n_outliers: int | None, seed: int) -> None:
    """Make the items; an audit subject is asked as such alone, however strange it is."""
    sorting = campaign.sorting
    if n_outliers is None:
        n_outliers = min(MAX_OUTLIERS, math.ceil(OUTLIER_FRACTION * sorting.n_subjects))
    prototypes = sorting.prototypes.filter(n_members__gt=0).order_by("row", "column")
    ranked = sorting.assignments.order_by("outlier_rank")
    # Of near copies of one another only the first is shown.
    outliers = ranked.filter(subject__is_audit=False, outlier_leader=None)[:n_outliers]
    audit = ranked.filter(subject__is_audit=True)
    wanted = [
        *({"kind": Item.Kind.PROTOTYPE, "prototype": prototype} for prototype in prototypes),
        *(
            {"kind": kind, "subject_id": subject}
            for kind, subjects in ((Item.Kind.OUTLIER, outliers), (Item.Kind.AUDIT, audit))
            for subject in subjects.values_list("subject_id", flat=True)
        ),
    ]
    chance = random.Random(seed)  # noqa: S311  # a queue, not a secret
    Item.objects.bulk_create(
        (Item(campaign=campaign, order=chance.random(), **fields) for fields in wanted),
        batch_size=BATCH_SIZE,
    )


def campaign_close(*, campaign: Campaign) -> None:
    """Take no more votes."""
    _state_set(campaign, Campaign.State.CLOSED)


def campaign_reopen(*, campaign: Campaign) -> None:
    """Take votes again, or, of a draft, for the first time."""
    _state_set(campaign, Campaign.State.OPEN)


def _state_set(campaign: Campaign, state: Campaign.State) -> None:
    campaign.state = state
    campaign.save(update_fields=["state"])


@transaction.atomic
def question_revise(*, campaign: Campaign, tree: object) -> Question:
    """Ask in another way from now on; earlier votes keep the version that they answered."""
    checked = tree_check(tree)
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    newest = question_newest(campaign)
    if newest.tree == checked:
        return newest
    return Question.objects.create(campaign=campaign, version=newest.version + 1, tree=checked)


# Items --------------------------------------------------------------------------------------
def items_lease(
    *,
    campaign: Campaign,
    volunteer: Volunteer,
    count: int = 1,
    exclude: Iterable[int] = (),
    wanted: int | None = None,
) -> list[Item]:
    """Hand out items that this volunteer has never answered, where an answer is worth most.

    The wanted one comes first if it is open and they have judged nothing of what it shows.
    """
    if campaign.state != Campaign.State.OPEN:
        return []
    now = timezone.now()
    chosen = items_choose(
        campaign=campaign,
        volunteer=volunteer,
        count=count,
        exclude=list(exclude),
        wanted=wanted,
        now=now,
    )
    if chosen:
        _leases_take(campaign, volunteer, chosen, now + LEASE_TIME)
    found = Item.objects.select_related("prototype__sorting__survey", "subject__survey").in_bulk(
        chosen
    )
    return [found[pk] for pk in chosen]


def _leases_take(
    campaign: Campaign, volunteer: Volunteer, items: Sequence[int], expires_at: datetime
) -> None:
    question = question_newest(campaign)
    leases = (
        Lease(item_id=item, volunteer=volunteer, question=question, expires_at=expires_at)
        for item in sorted(items)
    )
    Lease.objects.bulk_create(
        leases,
        update_conflicts=True,
        unique_fields=["item", "volunteer"],
        update_fields=["expires_at", "question"],
    )


@transaction.atomic
def prototype_items_add(*, campaign: Campaign, sorting: Sorting) -> int:
    """Ask about the prototypes of a child map too; gives the number of those that are new."""
    if sorting.parent is None or sorting.parent.sorting_id != campaign.sorting_id:
        raise CampaignError(f"{sorting} is no child of the map of {campaign}.")
    if sorting.state != Sorting.State.READY:
        raise CampaignError(f"{sorting} is not ready yet; wait until every subject has its place.")
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    asked = campaign.items.filter(kind=Item.Kind.PROTOTYPE).values("prototype")
    new = sorting.prototypes.filter(n_members__gt=0).exclude(pk__in=asked)
    items = [
        Item(
            campaign=campaign,
            kind=Item.Kind.PROTOTYPE,
            prototype=prototype,
            order=random.random(),  # noqa: S311  # a queue, not a secret
        )
        for prototype in new.order_by("row", "column")
    ]
    Item.objects.bulk_create(items, batch_size=BATCH_SIZE)
    return len(items)


@transaction.atomic
def items_add(*, campaign: Campaign, proposals: Sequence[ItemProposal]) -> list[Item]:
    """Ask what is proposed; what is asked already only gets its new priority.

    Gives the item of each proposal. Those that have retired stay so: people have said enough.
    """
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    proposals_check(campaign, proposals)
    items = _items_known(campaign, proposals)
    new = {each.key: each for each in proposals if each.key not in items}
    items |= _items_create(campaign, new)
    asked = {items[each.key].pk: each.priority for each in proposals}
    items_prioritize(campaign=campaign, priorities=asked)
    for item in items.values():
        if item.retired_at is None:
            item.priority = asked[item.pk]
    return [items[each.key] for each in proposals]


def _items_known(campaign: Campaign, proposals: Sequence[ItemProposal]) -> dict[ProposalKey, Item]:
    """Find open grids with the same members, and items of the same subjects, open ones rather."""
    keys = {each.key for each in proposals}
    prototypes = {each.prototype_id for each in proposals if isinstance(each, GridProposal)}
    grids = campaign.items.filter(kind=Item.Kind.GRID, prototype__in=prototypes, retired_at=None)
    known = {grid_key(item): item for item in grids.prefetch_related("members")}
    subjects = (each.subject_id for each in proposals if isinstance(each, SubjectProposal))
    for chunk in chunks(subjects):
        same = campaign.items.filter(kind__in=[Item.Kind.SUBJECT, Item.Kind.OUTLIER])
        settled = Q(kind=Item.Kind.OUTLIER, retired_at__isnull=False)
        found = list(same.filter(subject__in=chunk).exclude(settled))
        known |= {item.subject_id or 0: item for item in found if item.retired_at is not None}
        known |= {item.subject_id or 0: item for item in found if item.retired_at is None}
    return {key: item for key, item in known.items() if key in keys}


def _items_create(
    campaign: Campaign, proposals: Mapping[ProposalKey, ItemProposal]
) -> dict[ProposalKey, Item]:
    items = [_item_of(campaign, proposal) for proposal in proposals.values()]
    Item.objects.bulk_create(items, batch_size=BATCH_SIZE)
    members = (
        GridMember(item=item, subject_id=subject, place=place)
        for item, proposal in zip(items, proposals.values(), strict=True)
        if isinstance(proposal, GridProposal)
        for place, subject in enumerate(proposal.subject_ids, start=1)
    )
    GridMember.objects.bulk_create(members, batch_size=BATCH_SIZE)
    return dict(zip(proposals, items, strict=True))


def _item_of(campaign: Campaign, proposal: ItemProposal) -> Item:
    item = Item(campaign=campaign, order=random.random(), priority=proposal.priority)  # noqa: S311  # a queue, not a secret
    if isinstance(proposal, GridProposal):
        item.kind, item.label = Item.Kind.GRID, proposal.label
        item.prototype_id = proposal.prototype_id
    else:
        item.kind, item.subject_id = Item.Kind.SUBJECT, proposal.subject_id
    return item


@transaction.atomic
def items_prioritize(*, campaign: Campaign, priorities: Mapping[int, float | None]) -> int:
    """Say how much open items are worth per second; None asks no more for one in particular.

    Keys are those of items; retired ones are left alone. Gives the number of items that changed.
    """
    for key, priority in priorities.items():
        if priority is not None:
            priority_check(priority, what=f"item {key}")
    changed: list[tuple[float | None, int]] = []
    for chunk in chunks(sorted(priorities)):
        items = campaign.items.filter(retired_at=None, pk__in=chunk).order_by("pk")
        for key, former in items.values_list("pk", "priority"):
            if former != priorities[key]:
                changed.append((priorities[key], key))
    if changed:
        # Row by row in one call: a twentieth of the time that bulk_update takes for 100,000.
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE voting_item SET priority = %s WHERE id = %s", changed)
    return len(changed)


@transaction.atomic
def items_retire(*, items: Iterable[int], because: Item.Retirement) -> int:
    """Ask open items no more, by their keys; gives the number of those that retired by it."""
    now = timezone.now()
    n_retired = 0
    for chunk in chunks(sorted(set(items))):
        open_items = Item.objects.filter(pk__in=chunk, retired_at=None)
        n_retired += open_items.update(retired_at=now, retired_because=because)
    return n_retired


@transaction.atomic
def gold_add(*, campaign: Campaign, labels: Mapping[int, str], seed: int | None = None) -> int:
    """Ask subjects whose class is known, by their keys; a new label for one corrects the old.

    With a seed they get the same places in the queue each time. Gives the number of subjects that
    were not gold before.
    """
    chance = random.Random(seed)  # noqa: S311  # a queue, not a secret
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    places = places_of(campaign, labels)
    classes = tree_classes(question_newest(campaign).tree)
    for subject, label in labels.items():
        place_check(places, subject)
        label_check(classes, label)
    gold = {item.subject_id or 0: item for item in campaign.items.filter(kind=Item.Kind.GOLD)}
    corrected = []
    for subject in labels.keys() & gold.keys():
        if gold[subject].label != labels[subject]:
            gold[subject].label = labels[subject]
            corrected.append(gold[subject])
    Item.objects.bulk_update(corrected, ["label"], batch_size=BATCH_SIZE)
    new = [
        Item(
            campaign=campaign,
            kind=Item.Kind.GOLD,
            subject_id=subject,
            label=label,
            order=chance.random(),
        )
        for subject, label in labels.items()
        if subject not in gold
    ]
    Item.objects.bulk_create(new, batch_size=BATCH_SIZE)
    return len(new)


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
