"""A run tells what counting alone makes of the same votes: copied labels and majorities."""

from collections import Counter

import pytest

from protozoo.consensus.services import consensus_run
from protozoo.voting.models import Item, Vote
from tests.factories import (
    CLASSES,
    make_campaign,
    make_grid,
    make_sorting,
    make_volunteer,
    make_vote,
    make_votes,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    campaign = make_campaign(sorting=make_sorting(n_subjects=60))
    make_votes(campaign, n_volunteers=4, seed=5)
    return campaign


def most_named(votes, key):
    """Count plainly: the label most votes name, by what the votes show; the first of equal ones."""
    counts = {}
    for vote in votes:
        if vote.answer in [*CLASSES, "mixed"]:
            counts.setdefault(getattr(vote.item, key), Counter())[vote.answer] += 1
    order = [*CLASSES, "mixed"]
    labels = {
        thing: min(count, key=lambda name: (-count[name], order.index(name)))
        for thing, count in counts.items()
    }
    return {thing: label for thing, label in labels.items() if label != "mixed"}


def labels_of(run):
    return {row.subject_id: row.label for row in run.subjects.all()}


def test_copied_labels_are_those_of_a_plain_count(campaign):
    mixed = campaign.items.filter(kind=Item.Kind.PROTOTYPE).first()
    for _ in range(9):
        make_vote(mixed, volunteer=make_volunteer(), answer="mixed")
    run = consensus_run(campaign=campaign)
    copied = run.ledger["baselines"]["copied"]
    votes = Vote.objects.filter(item__kind=Item.Kind.PROTOTYPE).select_related("item")
    by_prototype = most_named(votes, "prototype_id")
    assert mixed.prototype_id not in by_prototype
    label = {
        place.subject_id: by_prototype[place.prototype_id]
        for place in campaign.sorting.assignments.all()
        if place.prototype_id in by_prototype
    }
    ours = labels_of(run)
    assert 0 < len(label) < 60
    assert copied["n_rows"] == len(label)
    assert copied["share_rows"] == pytest.approx(len(label) / 60)
    assert copied["n_votes"] == votes.count()
    assert copied["seconds"] == pytest.approx(sum(vote.seconds for vote in votes))
    n_same = sum(ours[subject] == name for subject, name in label.items())
    assert copied["agreement"] == pytest.approx(n_same / len(label))


def test_majorities_are_those_of_a_plain_count(campaign):
    run = consensus_run(campaign=campaign)
    majority = run.ledger["baselines"]["majority"]
    votes = Vote.objects.exclude(item__kind=Item.Kind.PROTOTYPE).select_related("item")
    label = most_named(votes, "subject_id")
    ours = labels_of(run)
    n_same = sum(ours[subject] == name for subject, name in label.items())
    assert majority["n_votes"] == votes.count() > 0
    assert majority["n_rows"] == len(label) < 60
    assert majority["agreement"] == pytest.approx(n_same / len(label))
    assert majority["accuracy"] is None


def test_answers_to_grids_are_neither_copied_nor_counted(campaign):
    before = consensus_run(campaign=campaign).ledger["baselines"]
    grid = make_grid(campaign)
    make_vote(grid, volunteer=make_volunteer(), answer=Vote.Verdict.SORTED, ticked=[])
    after = consensus_run(campaign=campaign).ledger["baselines"]
    assert [after[way]["n_votes"] for way in after] == [before[way]["n_votes"] for way in before]


def test_copied_labels_are_judged_by_the_audit_alone(campaign):
    """Everybody calls every prototype bent, and whoever sees an audit subject says compact."""
    Vote.objects.all().delete()
    audit = campaign.items.filter(kind=Item.Kind.AUDIT)
    assert audit.exists()
    for volunteer in [make_volunteer() for _ in range(5)]:
        for item in campaign.items.all():
            is_audit = item.kind == Item.Kind.AUDIT
            make_vote(item, volunteer=volunteer, answer=CLASSES[0] if is_audit else CLASSES[1])
    accuracy = consensus_run(campaign=campaign).ledger["baselines"]["copied"]["accuracy"]
    assert accuracy["n_rows"] == audit.count()
    assert accuracy["value"] < 0.2
    assert accuracy["low"] < 0.1
    assert accuracy["value"] < accuracy["high"] < 1.0


def test_without_audit_votes_no_accuracy_is_told(campaign):
    Vote.objects.filter(item__kind=Item.Kind.AUDIT).delete()
    run = consensus_run(campaign=campaign)
    assert run.ledger["baselines"]["copied"]["accuracy"] is None
    assert run.ledger["accuracy"] is None
