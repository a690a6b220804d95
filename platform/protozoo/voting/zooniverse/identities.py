"""Names and numbers that a campaign's answers bear in an export."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import Max

from protozoo.accounts.models import Volunteer
from protozoo.sorting.models import Prototype
from protozoo.subjects.models import Subject
from protozoo.voting.models import Campaign, Item

# Ids of our own begin beyond all that Zooniverse gives; programs still take them for exact.
OWN_IDS: Final = 10**12
# Prototypes are numbered apart from subjects.
PROTOTYPE_IDS: Final = 2 * 10**12
READ_SIZE: Final = 500
REASON_OF: Final = {
    Item.Retirement.COUNT.value: "classification_count",
    Item.Retirement.POSTERIOR.value: "consensus",
}


class Identities:
    """The ids of a campaign, its subjects and its votes."""

    def __init__(self, campaign: Campaign) -> None:
        self.workflow = str(OWN_IDS + campaign.pk)
        self.subject_set = str(OWN_IDS + campaign.sorting.survey_id)
        self.first_vote = _first_vote(campaign)
        self.at_zooniverse = _at_zooniverse(campaign)

    def subject(self, key: int) -> str:
        """Give the id that Zooniverse gave to a subject, or one of our own."""
        return self.at_zooniverse.get(key) or str(OWN_IDS + key)


def _first_vote(campaign: Campaign) -> int:
    """Begin the numbers of votes beyond all rows that are kept, be they another site's own."""
    greatest = campaign.zooniverse_classifications.aggregate(n=Max("classification_id"))["n"]
    return OWN_IDS * (1 + (greatest or 0) // OWN_IDS)


def _at_zooniverse(campaign: Campaign) -> dict[int, str]:
    """Give the ids of subjects whose classifications became votes."""
    rows = campaign.zooniverse_classifications.filter(
        vote__isnull=False, vote__item__subject__isnull=False
    )
    found: dict[int, str] = {}
    pairs = rows.order_by("pk").values_list("vote__item__subject_id", "subject_ids")
    for subject, subject_id in pairs.iterator(chunk_size=READ_SIZE):
        found.setdefault(subject, subject_id)
    return found


def pseudonym(volunteer: Volunteer) -> str:
    """Name a volunteer alike in all exports of this site; nobody else can tell who it is."""
    digest = hmac.new(settings.SECRET_KEY.encode(), volunteer.token.bytes, hashlib.sha256)
    return f"volunteer-{digest.hexdigest()[:16]}"


def about_subject(subject: Subject) -> dict[str, Any]:
    return {"identifier": subject.identifier, "ra": subject.ra_deg, "dec": subject.dec_deg}


def about_prototype(prototype: Prototype) -> dict[str, Any]:
    return {
        "prototype": f"{prototype.row}, {prototype.column}",
        "n_members": prototype.n_members,
        "#map": prototype.sorting.map_checksum,
    }


def reason_of(item: Item) -> str:
    """Say in Zooniverse's words why an item retired."""
    return REASON_OF.get(item.retired_because, "other")


def moment(time: datetime) -> str:
    """Write a time as the columns of an export have it."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def stamp(time: datetime) -> str:
    """Write a time as the JSON of an export has it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
