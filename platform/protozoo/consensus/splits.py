"""Finds prototypes whose members are of several classes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from protozoo.consensus.ballots import Places
from protozoo.consensus.models import SplitProposal
from protozoo.voting.models import Campaign
from protozoo.voting.trees import MIXED
from skysort.consensus.merge import MergeResult

FloatArray = NDArray[np.float64]

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
    found = np.flatnonzero((n_members >= LEAST_MEMBERS) & (is_impure | (mixed > MIXED_FROM)))
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
