"""What workers do for the consensus."""

from protozoo.consensus.models import SplitProposal
from protozoo.consensus.services import consensus_run
from protozoo.consensus.splits import split_begin, split_finish
from protozoo.jobs.services import Report
from protozoo.sorting.training import sorting_run
from protozoo.voting.models import Campaign


def merge(report: Report, *, campaign_id: int) -> dict[str, int]:
    """Merge a campaign's votes in the background."""
    run = consensus_run(campaign=Campaign.objects.get(pk=campaign_id), report=report)
    return {"consensus_run": run.pk, "votes": run.n_votes}


def split(report: Report, *, proposal_id: int) -> dict[str, int]:
    """Sort the members of an impure prototype by themselves, and ask about the new prototypes."""
    proposal = SplitProposal.objects.select_related("prototype__sorting__survey", "campaign").get(
        pk=proposal_id
    )
    child = sorting_run(sorting_id=split_begin(proposal=proposal).pk, report=report)
    return {"sorting": child.pk, "items": split_finish(proposal=proposal, child=child)}
