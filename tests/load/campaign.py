"""Makes a campaign with enough items for a crowd, of all kinds, whose pictures can be fetched."""

import random
import uuid
from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.roles import VOLUNTEER
from protozoo.consensus.models import AskingPlan
from protozoo.consensus.services import consensus_run
from protozoo.sorting.models import Assignment
from protozoo.voting.models import Campaign, GridMember, Item, Vote
from tests.factories import CLASSES, make_campaign, make_sorting, make_survey
from tests.load.volunteers import Account

SLUG = "load"
IN_GRID, FEWEST = 12, 6
# Nobody merges while the load is on, but if the plan asks for it.
NEVER = 10**6


@dataclass(frozen=True)
class Size:
    """How much there is to answer."""

    image_size: int = 64
    rows: int = 20
    columns: int = 20
    n_subjects: int = 6000
    n_audit: int = 300
    n_outliers: int = 200
    n_grids: int = 250
    n_singles: int = 3500
    n_gold: int = 60
    votes_to_retire: int = 5


SMALL = Size(16, 5, 6, 300, 20, 20, 12, 100, 8)


def campaign_make(size: Size) -> Campaign:
    """Make survey, map and campaign; of its subjects some are in grids and others stand alone."""
    survey = make_survey("load", image_size=size.image_size)
    sorting = make_sorting(
        survey=survey,
        rows=size.rows,
        columns=size.columns,
        n_subjects=size.n_subjects,
        n_audit=size.n_audit,
        n_empty=0,
        with_pixels=True,
    )
    campaign = make_campaign(
        sorting=sorting,
        slug=SLUG,
        n_outliers=size.n_outliers,
        votes_to_retire=size.votes_to_retire,
    )
    AskingPlan.objects.create(campaign=campaign, refit_votes=NEVER, refit_share=NEVER)
    _grids_make(campaign, size)
    _singles_make(campaign, size)
    return campaign


def _grids_make(campaign: Campaign, size: Size) -> None:
    """Put the members of prototypes into grids, as many of one as there are."""
    members: dict[int, list[int]] = {}
    assigned = Assignment.objects.filter(sorting=campaign.sorting, subject__is_audit=False)
    for prototype, subject in assigned.order_by("distance").values_list("prototype", "subject"):
        members.setdefault(prototype, []).append(subject)
    once = [(key, shown[:IN_GRID]) for key, shown in members.items() if len(shown) >= FEWEST]
    # The same members once more in another order, as those that are asked again after a merge.
    groups = [each for key, shown in once for each in ((key, shown), (key, shown[::-1]))]
    chance = random.Random(1)
    grids = Item.objects.bulk_create(
        Item(
            campaign=campaign,
            kind=Item.Kind.GRID,
            prototype_id=prototype,
            label=chance.choice(CLASSES),
            priority=chance.random(),
            order=chance.random(),
        )
        for prototype, _ in groups[: size.n_grids]
    )
    GridMember.objects.bulk_create(
        GridMember(item=grid, subject_id=subject, place=place)
        for grid, (_, shown) in zip(grids, groups, strict=False)
        for place, subject in enumerate(shown, start=1)
    )


def _singles_make(campaign: Campaign, size: Size) -> None:
    """Ask of subjects alone: doubtful ones with a priority, and some of known class."""
    asked = campaign.items.filter(subject__isnull=False).values("subject")
    free = campaign.sorting.survey.subjects.filter(is_audit=False).exclude(pk__in=asked)
    keys = list(free.order_by("-pk").values_list("pk", flat=True)[: size.n_singles + size.n_gold])
    chance = random.Random(2)
    Item.objects.bulk_create(
        Item(
            campaign=campaign,
            kind=Item.Kind.GOLD if number < size.n_gold else Item.Kind.SUBJECT,
            label=chance.choice(CLASSES) if number < size.n_gold else "",
            subject_id=key,
            priority=None if number < size.n_gold else chance.random(),
            order=chance.random(),
        )
        for number, key in enumerate(keys)
    )


def campaign_merge(campaign: Campaign, *, n_volunteers: int = 3) -> None:
    """Let a few people vote on the map and the audit sample, and merge that."""
    question = campaign.questions.get()
    kinds = [Item.Kind.PROTOTYPE, Item.Kind.OUTLIER, Item.Kind.AUDIT]
    items = list(campaign.items.filter(kind__in=kinds))
    chance = random.Random(3)
    votes = [
        Vote(
            item=item,
            volunteer=volunteer,
            question=question,
            client_uuid=uuid.uuid4(),
            answer=(answer := chance.choice([CLASSES[item.pk % len(CLASSES)]] * 4 + CLASSES)),
            path=[answer],
            seconds=4.0,
            answered_at=timezone.now(),
        )
        for volunteer in (Volunteer.objects.create(is_simulated=True) for _ in range(n_volunteers))
        for item in items
    ]
    Vote.objects.bulk_create(votes, batch_size=1000)
    campaign.items.filter(kind__in=kinds).update(n_votes=n_volunteers)
    consensus_run(campaign=campaign)


def accounts_make(n_accounts: int) -> list[Account]:
    """Make people who are signed in; nobody has a password."""
    sessions = import_module(settings.SESSION_ENGINE)
    group = Group.objects.get(name=VOLUNTEER)
    made = []
    for number in range(n_accounts):
        user = User.objects.create(username=f"load-{number}", password="!")
        user.groups.add(group)
        session = sessions.SessionStore()
        session["_auth_user_id"] = str(user.pk)
        session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
        session["_auth_user_hash"] = user.get_session_auth_hash()
        session.create()
        made.append(Account(session.session_key, f"{number:032d}"))
    return made
