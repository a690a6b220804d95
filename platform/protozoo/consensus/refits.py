"""Merges a campaign's votes again when enough new ones have come."""

from typing import Final

from protozoo.consensus.asking import plan_of
from protozoo.jobs.models import Job
from protozoo.jobs.services import job_create
from protozoo.voting.models import Campaign, Vote

MERGE_TASK: Final = "protozoo.consensus.tasks.merge"
# Only every so many-th vote asks whether it is time: counting takes longer than a vote.
COUNT_EVERY: Final = 10


def refit_when_due(*, vote: Vote) -> None:
    """Let a worker merge all votes, if this one makes the last merge out of date."""
    if vote.pk % COUNT_EVERY:
        return
    campaign = vote.item.campaign
    run = campaign.consensus_runs.only("n_votes", "last_vote_id").first()
    merged, last = (run.n_votes, run.last_vote_id) if run else (0, 0)
    enough = plan_of(campaign).votes_until_refit(merged)
    # Keys count the votes of all campaigns, so there are no more new votes than this.
    if vote.pk - last < enough:
        return
    if Vote.objects.filter(pk__gt=last, item__campaign=campaign).count() >= enough:
        merge_later(campaign=campaign)


def merge_later(*, campaign: Campaign) -> Job:
    """Let a worker merge; while one is at it or will be, that job is the answer."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    underway = Job.objects.filter(
        task=MERGE_TASK,
        arguments__campaign_id=campaign.pk,
        state__in=[Job.State.QUEUED, Job.State.RUNNING],
    ).first()
    return underway or job_create(
        task=MERGE_TASK,
        arguments={"campaign_id": campaign.pk},
        title=f"Merge the votes of {campaign}"[:200],
    )
