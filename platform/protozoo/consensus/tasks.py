"""What workers do for the consensus."""

from protozoo.consensus.services import consensus_run
from protozoo.jobs.services import Report
from protozoo.voting.models import Campaign


def merge(report: Report, *, campaign_id: int) -> dict[str, int]:
    """Merge a campaign's votes in the background."""
    run = consensus_run(campaign=Campaign.objects.get(pk=campaign_id), report=report)
    return {"consensus_run": run.pk, "votes": run.n_votes}
