"""Finds campaigns and their progress, what an item shows, and own votes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from protozoo.accounts.models import Volunteer
from protozoo.sorting.models import Assignment, Prototype
from protozoo.sorting.pictures import member_picture_url, prototype_picture_url
from protozoo.sorting.pixels import member_pixels_url, prototype_pixels_url
from protozoo.subjects.pictures import subject_picture_url
from protozoo.subjects.pixels import subject_pixels_url
from protozoo.voting.models import Campaign, Favourite, GridMember, Item, Question, Vote
from protozoo.voting.trees import leaf_title

# Members beside a prototype: as many as can be looked at without scrolling. The farthest tell
# whether a group is mixed.
N_NEAREST: Final = 6
N_FARTHEST: Final = 3
MAIN_SIZE: Final = 512
MEMBER_SIZE: Final = 192


# Campaigns ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Progress:
    """How far a campaign has come; gold items are no part of the way, but answers to them count.

    Of volunteers nobody knows the number where nobody has asked for it.
    """

    n_items: int
    n_retired: int
    n_votes: int
    n_volunteers: int | None
    n_subjects: int

    @property
    def fraction(self) -> float:
        """Share of the items that have enough votes."""
        return self.n_retired / self.n_items if self.n_items else 0.0

    @property
    def percent(self) -> int:
        """Whole percent, rounded down: 100 only when all is done."""
        return 100 * self.n_retired // self.n_items if self.n_items else 0


@dataclass(frozen=True)
class CampaignWithProgress:
    campaign: Campaign
    progress: Progress


def campaigns_public() -> QuerySet[Campaign]:
    """Give all campaigns that anybody may see, with their questions, the newest first."""
    questions = Prefetch("questions", Question.objects.order_by("-version"))
    shown = Campaign.objects.exclude(state=Campaign.State.DRAFT)
    return shown.select_related("sorting__survey").prefetch_related(questions)


def campaign_progress(campaign: Campaign) -> Progress:
    return campaigns_progress([campaign])[campaign.pk]


def campaigns_progress(
    campaigns: Sequence[Campaign], *, with_volunteers: bool = True
) -> dict[int, Progress]:
    """Count for many campaigns at once; the keys are theirs.

    To count volunteers all votes are read: a second for a million.
    """
    keys = [campaign.pk for campaign in campaigns]
    on_the_way = ~Q(kind=Item.Kind.GOLD)
    items = {
        row["campaign"]: row
        for row in Item.objects.filter(campaign__in=keys)
        .order_by()
        .values("campaign")
        .annotate(
            n_items=Count("pk", filter=on_the_way),
            n_retired=Count("retired_at", filter=on_the_way),
            n=Sum("n_votes"),
        )
    }
    volunteers = _n_volunteers(keys) if with_volunteers else None
    none: dict[str, int] = {"n_items": 0, "n_retired": 0, "n": 0}
    return {
        campaign.pk: Progress(
            n_items=items.get(campaign.pk, none)["n_items"],
            n_retired=items.get(campaign.pk, none)["n_retired"],
            n_votes=items.get(campaign.pk, none)["n"],
            n_volunteers=None if volunteers is None else volunteers.get(campaign.pk, 0),
            n_subjects=campaign.sorting.n_subjects,
        )
        for campaign in campaigns
    }


def _n_volunteers(campaigns: Sequence[int]) -> dict[int, int]:
    votes = Vote.objects.filter(item__campaign__in=campaigns, superseded_at=None).order_by()
    counted = votes.values_list("item__campaign").annotate(n=Count("volunteer", distinct=True))
    return dict(counted)


def with_progress(campaigns: Iterable[Campaign]) -> list[CampaignWithProgress]:
    listed = list(campaigns)
    progress = campaigns_progress(listed, with_volunteers=False)
    return [CampaignWithProgress(campaign, progress[campaign.pk]) for campaign in listed]


def question_newest(campaign: Campaign) -> Question:
    """Give the question as it stands; a campaign of `campaigns_public` knows it already."""
    return campaign.questions.all()[0]


# Items --------------------------------------------------------------------------------------
def items_without_consensus(campaign: Campaign) -> QuerySet[Item]:
    """Give the items on which people do not agree; scientists review them."""
    found = campaign.items.filter(retired_because=Item.Retirement.CAP)
    return found.select_related("prototype__sorting", "subject__survey").order_by("retired_at")


def items_public() -> QuerySet[Item]:
    """Give all items that anybody may see."""
    shown = Item.objects.exclude(campaign__state=Campaign.State.DRAFT)
    return shown.select_related("campaign")


def votes_strange(campaign: Campaign) -> QuerySet[Vote]:
    """Give the votes that call something strange, the newest first."""
    votes = Vote.objects.filter(item__campaign=campaign, is_strange=True, superseded_at=None)
    shown = votes.select_related("item__prototype__sorting__survey", "item__subject__survey")
    return shown.prefetch_related("item__members").order_by("-pk")


def queue_state(*, campaign: Campaign) -> str:
    """Say why a volunteer got no item: the campaign is closed, done, or they have seen all."""
    if campaign.state != Campaign.State.OPEN:
        return "closed"
    open_items = campaign.items.filter(retired_at=None)
    is_done = not open_items.exclude(kind=Item.Kind.GOLD).exists()
    return "done" if is_done else "seen_all"


def wanted_notice(wanted: int, *, campaign: Campaign, volunteer: Volunteer) -> str | None:
    """Say why an item that a volunteer wants to see is not handed out to them."""
    if campaign.state != Campaign.State.OPEN:
        return None
    item = campaign.items.filter(pk=wanted).first()
    if item is None:
        return "unknown"
    is_over = item.retired_at is not None
    return "retired" if is_over and not _is_answered(item, volunteer) else "answered"


def _is_answered(item: Item, volunteer: Volunteer) -> bool:
    return item.votes.filter(volunteer=volunteer).exists()


# What an item shows -------------------------------------------------------------------------
@dataclass(frozen=True)
class Picture:
    url: str
    alt: str
    pixels_url: str
    scale_arcsec: float | None
    subject_id: int | None = None
    rank: Literal["nearest", "farthest"] | None = None


@dataclass(frozen=True)
class ShownItem:
    """An item as a volunteer sees it."""

    id: int
    kind: str
    question_version: int
    title: str
    description: str
    main: Picture
    members: list[Picture]
    context: dict[str, Any]
    page_url: str
    share_url: str
    label: str | None = None
    label_title: str | None = None
    is_favourite: bool = False


def items_shown(
    items: Sequence[Item], *, question: Question, volunteer: Volunteer | None = None
) -> list[ShownItem]:
    """Put pictures and words to items that know their prototype or subject.

    A volunteer's favourites among them are marked.
    """
    favourites = _favourites_among(items, volunteer)
    return [
        replace(shown, is_favourite=shown.id in favourites)
        for shown in _items_shown(items, question)
    ]


def _favourites_among(items: Sequence[Item], volunteer: Volunteer | None) -> set[int]:
    if volunteer is None or not items:
        return set()
    found = Favourite.objects.filter(volunteer=volunteer, item__in=items)
    return set(found.values_list("item_id", flat=True))


def _items_shown(items: Sequence[Item], question: Question) -> list[ShownItem]:
    prototypes = [i.prototype for i in items if i.kind == Item.Kind.PROTOTYPE and i.prototype]
    members = _members_of(prototypes)
    in_grids = _grid_members([item for item in items if item.kind == Item.Kind.GRID])
    shown = []
    for item in items:
        if item.kind == Item.Kind.GRID:
            shown.append(_grid_shown(item, in_grids[item.pk], question))
        elif item.prototype is not None:
            members_shown = members[item.prototype.pk]
            shown.append(_prototype_shown(item, item.prototype, members_shown, question.version))
        else:
            shown.append(_subject_shown(item, question.version))
    return shown


def _grid_shown(item: Item, members: list[Assignment], question: Question) -> ShownItem:
    prototype = item.prototype
    assert prototype is not None  # the database's constraint item_shows_one_thing
    shown = _prototype_shown(item, prototype, _pictures(members), question.version)
    label_title = leaf_title(question.tree, item.label)
    n_members = _count_words(prototype.n_members)
    return replace(
        shown,
        description=f"{shown.title}: {len(members)} of {n_members}",
        main=replace(shown.main, alt=f"{shown.title}: {label_title}, {n_members}"),
        label=item.label,
        label_title=label_title,
    )


def _grid_members(grids: Sequence[Item]) -> dict[int, list[Assignment]]:
    """Give each grid's members in their places, with how they are turned."""
    places = list(
        GridMember.objects.filter(item__in=grids)
        .order_by("item", "place")
        .values_list("item_id", "subject_id")
    )
    sortings = {grid.prototype.sorting_id for grid in grids if grid.prototype is not None}
    turned = {
        (each.sorting_id, each.subject_id): each
        for each in Assignment.objects.filter(
            sorting__in=sortings, subject__in={subject for _, subject in places}
        ).select_related("subject__survey")
    }
    sorting_of = {grid.pk: grid.prototype.sorting_id for grid in grids if grid.prototype}
    found: dict[int, list[Assignment]] = {grid.pk: [] for grid in grids}
    for grid, subject in places:
        found[grid].append(turned[sorting_of[grid], subject])
    return found


def _prototype_shown(
    item: Item, prototype: Prototype, members: list[Picture], question_version: int
) -> ShownItem:
    name = _("Prototype {row}, {column}").format(row=prototype.row, column=prototype.column)
    words = f"{name}: {_count_words(prototype.n_members)}"
    return ShownItem(
        id=item.pk,
        kind=item.kind,
        question_version=question_version,
        title=name,
        description=words,
        main=Picture(
            prototype_picture_url(prototype, size=MAIN_SIZE),
            words,
            prototype_pixels_url(prototype),
            prototype.sorting.survey.pixel_scale_arcsec,
        ),
        members=members,
        context={
            "row": prototype.row,
            "column": prototype.column,
            "n_members": prototype.n_members,
        },
        page_url=reverse("prototype", args=[prototype.pk]),
        share_url=reverse("item", args=[item.pk]),
    )


def _count_words(n_members: int) -> str:
    return ngettext("{n} member", "{n} members", n_members).format(n=n_members)


def _pictures(members: Sequence[Assignment]) -> list[Picture]:
    return [
        Picture(
            member_picture_url(member, size=MEMBER_SIZE),
            _("Member {number} of {n}: {name}").format(
                number=number, n=len(members), name=member.subject.identifier
            ),
            member_pixels_url(member),
            member.subject.survey.pixel_scale_arcsec,
            member.subject_id,
        )
        for number, member in enumerate(members, start=1)
    ]


def _pictures_ranked(near: Sequence[Assignment], far: Sequence[Assignment]) -> list[Picture]:
    """Say of each member whether it is among the most or the least alike."""
    pictures = _pictures([*near, *far])
    return [
        *(
            replace(
                one,
                rank="nearest",
                alt=_("{picture}, among the most alike").format(picture=one.alt),
            )
            for one in pictures[: len(near)]
        ),
        *(
            replace(
                one,
                rank="farthest",
                alt=_("{picture}, among the least alike").format(picture=one.alt),
            )
            for one in pictures[len(near) :]
        ),
    ]


def _subject_shown(item: Item, question_version: int) -> ShownItem:
    subject = item.subject
    assert subject is not None  # the database's constraint item_shows_one_thing
    return ShownItem(
        id=item.pk,
        # A gold subject looks like any other, so that people answer as they always do.
        kind=Item.Kind.SUBJECT if item.kind == Item.Kind.GOLD else item.kind,
        question_version=question_version,
        title=subject.identifier,
        description=_("{name}: a single source").format(name=subject.identifier),
        main=Picture(
            subject_picture_url(subject, size=MAIN_SIZE),
            _("Image of {name}").format(name=subject.identifier),
            subject_pixels_url(subject),
            subject.survey.pixel_scale_arcsec,
            subject.pk,
        ),
        members=[],
        context={
            "identifier": subject.identifier,
            "ra_deg": subject.ra_deg,
            "dec_deg": subject.dec_deg,
        },
        page_url=reverse("subject", args=[subject.pk]),
        share_url=reverse("item", args=[item.pk]),
    )


def _members_of(prototypes: Sequence[Prototype]) -> dict[int, list[Picture]]:
    """Give pictures of each prototype's nearest members and of its farthest, each member once."""
    if not prototypes:
        return {}
    keys = _member_keys(prototypes)
    members = Assignment.objects.select_related("subject__survey").in_bulk(
        [key for near, far in keys.values() for key in (*near, *far)]
    )
    return {
        prototype: _pictures_ranked([members[key] for key in near], [members[key] for key in far])
        for prototype, (near, far) in keys.items()
    }


def _member_keys(prototypes: Sequence[Prototype]) -> dict[int, tuple[list[int], list[int]]]:
    """Find the keys of the nearest and the farthest members, both from near to far.

    Each place is a subquery that takes a few steps along the index of a prototype's members, be
    there ten of them or a million.
    """
    members = Assignment.objects.filter(prototype=OuterRef("pk")).values("pk")
    near = [members.order_by("distance", "pk")[place : place + 1] for place in range(N_NEAREST)]
    far = [members.order_by("-distance", "-pk")[place : place + 1] for place in range(N_FARTHEST)]
    places = {f"place_{n}": Subquery(one) for n, one in enumerate([*near, *reversed(far)])}
    rows = Prototype.objects.filter(pk__in=[one.pk for one in prototypes]).annotate(**places)
    found = {}
    for prototype, *keys in rows.values_list("pk", *places):
        nearest = [key for key in keys[:N_NEAREST] if key is not None]
        farthest = [key for key in keys[N_NEAREST:] if key is not None and key not in nearest]
        found[prototype] = (nearest, farthest)
    return found


# A volunteer's own votes --------------------------------------------------------------------
def votes_of(volunteer: Volunteer | None) -> QuerySet[Vote]:
    """Give a volunteer's votes that count, the newest first."""
    votes = Vote.objects.filter(volunteer=volunteer, superseded_at=None)
    related = votes.select_related(
        "question",
        "supersedes",
        "item__campaign",
        "item__prototype__sorting",
        "item__subject__survey",
    )
    return related.order_by("-received_at", "-pk")
