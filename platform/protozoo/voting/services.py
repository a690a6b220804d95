"""Opens campaigns and hands out items; votes are taken in `votes.py`."""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from protozoo.accounts.models import Volunteer
from protozoo.sorting.models import Sorting
from protozoo.voting.exceptions import (
    CampaignError,
)
from protozoo.voting.models import (
    Campaign,
    GridMember,
    Item,
    Lease,
    Question,
)
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
from protozoo.voting.remarks import tags_check
from protozoo.voting.selectors import question_newest
from protozoo.voting.trees import default_tree, tree_check, tree_classes

MAX_SLUG: Final = 60
# Without a wish, this share of the subjects is shown as outliers, but no more than so many.
OUTLIER_FRACTION: Final = 0.05
MAX_OUTLIERS: Final = 200
# Long enough for a volunteer who reads the help; others get the item again soon after.
LEASE_TIME: Final = timedelta(minutes=10)
# An item with so many votes is asked no more, unless its campaign asks for more votes anyway.
VOTES_CAP: Final = 12
BATCH_SIZE: Final = 1000


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
