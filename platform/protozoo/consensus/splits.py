"""Finds prototypes whose members are of several classes, and gives them maps of their own.

Once a scientist wants it, a worker sorts the members by themselves. The prototypes of that child
map are asked like all others, and merges take them in place of the one that was split.
"""

from typing import Final

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from protozoo.accounts.models import User
from protozoo.consensus.ballots import Places
from protozoo.consensus.exceptions import SplitError
from protozoo.consensus.models import SplitProposal
from protozoo.jobs.models import Job
from protozoo.jobs.services import job_create
from protozoo.sorting.models import Prototype, Sorting
from protozoo.sorting.services import child_sorting_create
from protozoo.voting.models import Campaign, Item
from protozoo.voting.services import items_retire, prototype_items_add
from protozoo.voting.trees import MIXED
from skysort.consensus.merge import MergeResult

FloatArray = NDArray[np.float64]

SPLIT_TASK: Final = "protozoo.consensus.tasks.split"
# Fewer members make no map of their own.
LEAST_MEMBERS: Final = 40
# A prototype is impure if its commonest class has a smaller share, or people likely call it mixed.
LEAST_PURITY: Final = 0.65
MIXED_FROM: Final = 0.5
# Members that are unsure one by one say nothing of what the group is made of.
LEAST_CERTAINTY: Final = 0.8


def splits_propose(
    *, campaign: Campaign, places: Places, result: MergeResult, classes: list[str]
) -> int:
    """Note which prototypes are impure; what a scientist has decided stays. Gives their number."""
    purity, is_impure = _impure(places, result)
    mixed = _mixed(result, classes)
    n_members = np.bincount(places.cells.best, minlength=places.cells.n_cells)
    is_large = (places.shown_at == places.prototypes) & (n_members >= LEAST_MEMBERS)
    found = np.flatnonzero(is_large & (is_impure | (mixed > MIXED_FROM)))
    impure = {int(places.prototypes[cell]): cell for cell in found}
    proposals = SplitProposal.objects.filter(campaign=campaign)
    open_ones = proposals.filter(state=SplitProposal.State.PROPOSED)
    open_ones.exclude(prototype__in=impure).delete()
    SplitProposal.objects.bulk_create(
        [
            SplitProposal(
                campaign=campaign,
                prototype_id=prototype,
                purity=float(purity[cell]),
                probability_mixed=float(mixed[cell]),
            )
            for prototype, cell in impure.items()
        ],
        update_conflicts=True,
        unique_fields=["campaign", "prototype"],
        update_fields=["purity", "probability_mixed"],
    )
    return len(impure)


def _impure(places: Places, result: MergeResult) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Give each prototype's purity, and whether its members are known to differ."""
    best, n_cells = places.cells.best, places.cells.n_cells
    n = np.maximum(np.bincount(best, minlength=n_cells), 1)
    sums = [np.bincount(best, column, n_cells) for column in result.subject_probabilities.T]
    certainty = np.bincount(best, result.subject_probabilities.max(axis=1), n_cells) / n
    purity: FloatArray = np.max(sums, axis=0) / n
    return purity, (purity < LEAST_PURITY) & (certainty >= LEAST_CERTAINTY)


def _mixed(result: MergeResult, classes: list[str]) -> FloatArray:
    if MIXED not in classes:
        return np.zeros(len(result.cell_probabilities))
    return result.cell_probabilities[:, classes.index(MIXED)]


# What becomes of a proposal ----------------------------------------------------------------
def prototype_split_later(
    *, campaign: Campaign, prototype: Prototype, created_by: User | None = None
) -> Job:
    """Let a worker sort the members of a prototype; while one is at it, that job is the answer."""
    proposal = split_proposal_get(campaign=campaign, prototype=prototype)
    underway = Job.objects.filter(
        task=SPLIT_TASK,
        arguments__proposal_id=proposal.pk,
        state__in=[Job.State.QUEUED, Job.State.RUNNING],
    ).first()
    return underway or job_create(
        task=SPLIT_TASK,
        arguments={"proposal_id": proposal.pk},
        title=f"Split prototype {prototype.row}, {prototype.column} of {campaign}"[:200],
        created_by=created_by,
    )


def split_dismiss(*, campaign: Campaign, prototype: Prototype) -> SplitProposal:
    """Leave a prototype as it is; it is not proposed again."""
    proposal = split_proposal_get(campaign=campaign, prototype=prototype)
    if proposal.state == SplitProposal.State.SPLIT:
        raise SplitError(
            _("%(prototype)s has been split already; its child map is in use.")
            % {"prototype": str(prototype).capitalize()}
        )
    proposal.state = SplitProposal.State.DISMISSED
    proposal.save()
    return proposal


def split_begin(*, proposal: SplitProposal) -> Sorting:
    """Plan the child map; whoever has a worker's means sorts it."""
    return child_sorting_create(prototype=proposal.prototype)


@transaction.atomic
def split_finish(*, proposal: SplitProposal, child: Sorting) -> int:
    """Ask about the prototypes of a child map from now on; gives the number of new items."""
    campaign = proposal.campaign
    n_new = prototype_items_add(campaign=campaign, sorting=child)
    whole = campaign.items.filter(kind=Item.Kind.PROTOTYPE, prototype=proposal.prototype_id)
    items_retire(items=list(whole.values_list("pk", flat=True)), because=Item.Retirement.GAIN)
    proposal.state = SplitProposal.State.SPLIT
    proposal.save()
    return n_new


def split_proposal_get(*, campaign: Campaign, prototype: Prototype) -> SplitProposal:
    """Find the proposal, or make it: a scientist may see what the merge does not."""
    if prototype.sorting_id != campaign.sorting_id:
        raise SplitError(
            _("%(prototype)s is not on the map of %(campaign)s.")
            % {"prototype": str(prototype).capitalize(), "campaign": campaign}
        )
    found, _created = SplitProposal.objects.get_or_create(
        campaign=campaign,
        prototype=prototype,
        defaults={"purity": 0.0, "probability_mixed": 0.0},
    )
    return found
