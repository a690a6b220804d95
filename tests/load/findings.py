"""Compares what volunteers were told with what the database holds."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, F, Q
from django.utils import timezone

from protozoo.voting.models import Campaign, Item, Lease, Vote
from protozoo.voting.services import LEASE_TIME
from tests.load.volunteers import Log


def findings_of(campaign: Campaign, log: Log, *, last_vote_before: int = 0) -> dict[str, list[str]]:
    """Give what is wrong, by its kind; nothing else came in between than what the log tells."""
    votes = {
        str(vote.client_uuid): vote
        for vote in Vote.objects.filter(item__campaign=campaign, pk__gt=last_vote_before)
    }
    return {
        "errors": list(log.faults),
        "shown again": [
            f"volunteer {who}: item {item} was {how}" for who, item, how in log.repeated
        ],
        "lost votes": list(_lost(votes, log)),
        "changed votes": list(_changed(votes, log)),
        "votes of nobody": [
            key for key in votes if key not in {one.client_uuid for one in log.sent}
        ],
        "double votes": list(_double(campaign)),
        "volunteers mixed up": list(_mixed_up(votes, log)),
        "wrong counts": list(_miscounted(campaign)),
        "wrong retirement": list(_wrongly_open(campaign)),
        "leases": list(_leases(campaign)),
        "retired without notice": list(_retired_served(campaign, log)),
    }


def _lost(votes: dict[str, Vote], log: Log) -> Iterator[str]:
    for sent in log.sent:
        if sent.client_uuid not in votes:
            yield f"{sent.client_uuid} on item {sent.item} was taken, and is not there"


def _changed(votes: dict[str, Vote], log: Log) -> Iterator[str]:
    """Tell votes that say something else, and those that count though they were taken back."""
    superseded = {sent.supersedes for sent in log.sent if sent.supersedes}
    for sent in log.sent:
        vote = votes.get(sent.client_uuid)
        if vote is None:
            continue
        if (vote.item_id, vote.answer, vote.ticked) != (sent.item, sent.answer, sent.ticked):
            yield f"{sent.client_uuid} says {vote.answer} of item {vote.item_id}"
        if (vote.superseded_at is not None) != (sent.client_uuid in superseded):
            yield f"{sent.client_uuid} on item {sent.item}: superseded {vote.superseded_at}"


def _double(campaign: Campaign) -> Iterator[str]:
    counting = Vote.objects.filter(item__campaign=campaign, superseded_at=None)
    pairs = counting.order_by().values("item", "volunteer").annotate(n=Count("pk")).filter(n__gt=1)
    for pair in pairs:
        yield f"volunteer {pair['volunteer']} counts {pair['n']} times on item {pair['item']}"


def _mixed_up(votes: dict[str, Vote], log: Log) -> Iterator[str]:
    """Each of the crowd is one volunteer of the site, and no two are the same."""
    known: dict[int, set[int]] = defaultdict(set)
    for sent in log.sent:
        if sent.client_uuid in votes:
            known[sent.volunteer].add(votes[sent.client_uuid].volunteer_id)
    for number, keys in known.items():
        if len(keys) > 1:
            yield f"volunteer {number} has become {len(keys)}"
    times = Counter(key for keys in known.values() for key in keys)
    for key, n in times.items():
        if n > 1:
            yield f"{n} volunteers have become {key}"


def _miscounted(campaign: Campaign) -> Iterator[str]:
    counting = Count("votes", filter=Q(votes__superseded_at=None))
    wrong = campaign.items.order_by("pk").annotate(n=counting).exclude(n=F("n_votes"))
    for item in wrong:
        yield f"item {item.pk} says {item.n_votes} votes, {item.n} count"


def _wrongly_open(campaign: Campaign) -> Iterator[str]:
    """An item with enough votes has retired, one retired by their number has enough."""
    for item in campaign.items.exclude(kind=Item.Kind.GOLD):
        has_enough = item.n_votes >= campaign.votes_at_most(item.kind)
        if has_enough and item.retired_at is None:
            yield f"item {item.pk} is open with {item.n_votes} votes"
        if item.retired_because == Item.Retirement.COUNT and not has_enough:
            yield f"item {item.pk} has retired with {item.n_votes} votes"


def _leases(campaign: Campaign) -> Iterator[str]:
    """Nobody holds what they have answered, nor anything for longer than is allowed."""
    leases = Lease.objects.filter(item__campaign=campaign)
    answered = leases.filter(
        item__votes__volunteer=F("volunteer"), item__votes__superseded_at=None
    ).distinct()
    for lease in answered:
        yield f"volunteer {lease.volunteer_id} holds item {lease.item_id}, answered already"
    for lease in leases.filter(expires_at__gt=timezone.now() + LEASE_TIME + timedelta(seconds=1)):
        yield f"lease {lease.pk} ends at {lease.expires_at}"


def _retired_served(campaign: Campaign, log: Log) -> Iterator[str]:
    """Nobody is handed what had retired before they asked."""
    retired = dict(campaign.items.exclude(retired_at=None).values_list("pk", "retired_at"))
    for began, who, item in log.served:
        if item in retired and retired[item].timestamp() < began:
            yield f"volunteer {who} got item {item} {began - retired[item].timestamp():.3f} s late"


def figures_of(campaign: Campaign, log: Log, seconds: float) -> dict[str, float]:
    """Count what was done; a vote beyond those that are enough was a volunteer's time lost."""
    beyond = sum(
        max(0, item.n_votes - campaign.votes_at_most(item.kind))
        for item in campaign.items.exclude(kind=Item.Kind.GOLD)
    )
    volunteers = {sent.volunteer for sent in log.sent}
    return {
        "votes": len(log.sent),
        "votes_per_s": round(len(log.sent) / seconds, 1),
        "requests": len(log.asked),
        "requests_per_s": round(len(log.asked) / seconds, 1),
        "volunteers_who_voted": len(volunteers),
        "items_served": len(log.served),
        "votes_changed": sum(sent.supersedes is not None for sent in log.sent),
        "votes_beyond_enough": beyond,
        "items_retired": campaign.items.exclude(retired_at=None).count(),
        "reconnections": log.reconnections,
    }
