"""What the pages for volunteers show of campaigns beside their progress."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import F, Sum, Window
from django.db.models.functions import RowNumber

from protozoo.sorting.models import Prototype
from protozoo.sorting.pictures import prototype_picture_url
from protozoo.voting.models import Campaign, Item, Vote
from protozoo.voting.selectors import Progress, campaign_progress, with_progress
from protozoo.voting.trees import Answer, Tree, answer_said, tree_leaves

N_PICTURES: Final = 16
PICTURE_SIZE: Final = 256
# The style sheet knows so many shapes and colors.
MAX_NUMBER: Final = 8


@dataclass(frozen=True)
class CampaignCard:
    """A campaign, how far it has come, and addresses of some of its pictures."""

    campaign: Campaign
    progress: Progress
    pictures: Sequence[str]

    @property
    def takes_answers(self) -> bool:
        is_open = self.campaign.state == Campaign.State.OPEN
        return is_open and self.progress.n_retired < self.progress.n_items


@dataclass(frozen=True)
class Coverage:
    """How many subjects the answers speak for."""

    n_covered: int
    n_simulated: int

    def votes_per_subject(self, n_votes: int) -> float | None:
        return n_votes / self.n_covered if self.n_covered else None

    def votes_one_by_one(self, votes_to_retire: int) -> int:
        """Count what it would have taken to ask the same of every subject alone."""
        return votes_to_retire * self.n_covered


@dataclass(frozen=True)
class NumberedAnswer:
    """An answer that ends the tree, with the number of its color and shape."""

    number: int
    answer: Answer


def campaign_cards(campaigns: Iterable[Campaign]) -> list[CampaignCard]:
    """Put pictures to campaigns, those first that take answers."""
    listed = with_progress(campaigns)
    pictures = prototype_pictures({one.campaign.sorting_id for one in listed})
    cards = [
        CampaignCard(one.campaign, one.progress, pictures[one.campaign.sorting_id])
        for one in listed
    ]
    return sorted(cards, key=lambda card: not card.takes_answers)


def campaign_card(campaign: Campaign, *, n_pictures: int) -> CampaignCard:
    pictures = prototype_pictures([campaign.sorting_id], count=n_pictures)
    return CampaignCard(campaign, campaign_progress(campaign), pictures[campaign.sorting_id])


def prototype_pictures(
    sorting_ids: Iterable[int], *, count: int = N_PICTURES
) -> dict[int, list[str]]:
    """Give pictures of the prototypes with the most members of each sorting, in one query."""
    place = Window(
        RowNumber(), partition_by=F("sorting"), order_by=[F("n_members").desc(), F("pk").asc()]
    )
    used = Prototype.objects.filter(sorting__in=sorting_ids, n_members__gt=0)
    largest = used.annotate(place=place).filter(place__lte=count).order_by("place")
    found: dict[int, list[str]] = defaultdict(list)
    for prototype in largest.select_related("sorting__survey"):
        found[prototype.sorting_id].append(prototype_picture_url(prototype, size=PICTURE_SIZE))
    return found


def campaign_coverage(campaign: Campaign) -> Coverage:
    """Count the members of all prototypes with an answer, and the simulated answers."""
    votes = Vote.objects.filter(item__campaign=campaign, superseded_at=None)
    # From the few simulated volunteers to their votes, not the other way.
    simulated = votes.filter(volunteer__is_simulated=True).count()
    return Coverage(n_covered=n_covered(campaign), n_simulated=simulated)


def n_covered(campaign: Campaign) -> int:
    """Count the members of all prototypes with an answer."""
    answered = campaign.items.filter(kind=Item.Kind.PROTOTYPE, n_votes__gt=0)
    counted: int | None = answered.aggregate(n=Sum("prototype__n_members"))["n"]
    return counted or 0


def numbered_answers(tree: Tree) -> list[NumberedAnswer]:
    """List the answers that end the tree, numbered in its order, in the reader's language."""
    leaves = tree_leaves(tree)
    return [
        NumberedAnswer(min(number, MAX_NUMBER), answer_said(answer))
        for number, answer in enumerate(leaves, start=1)
    ]
