"""Impure prototypes are found; their members get a map of their own, which is asked and merged."""

import uuid

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from django.utils import timezone

from protozoo.consensus.exceptions import SplitError
from protozoo.consensus.models import SplitProposal
from protozoo.consensus.selectors import opinion_of
from protozoo.consensus.services import consensus_run
from protozoo.consensus.splits import SPLIT_TASK, prototype_split_later, split_dismiss
from protozoo.jobs.models import Job
from protozoo.jobs.services import job_run
from protozoo.sorting.models import Sorting
from protozoo.sorting.services import sorting_create, sorting_find
from protozoo.sorting.training import sorting_run
from protozoo.voting.trees import default_tree, tree_path
from protozoo.voting.votes import vote_record
from skysort.images.shards import ShardWriter
from skysort.synthetic import make_images
from tests import factories

pytestmark = pytest.mark.django_db
N, SIZE = 180, 24


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def campaign():
    """A campaign over a map of made-up places: no pixels."""
    sorting = factories.make_sorting(n_subjects=240, n_audit=0)
    return factories.make_campaign(sorting=sorting, votes_to_retire=20)


@pytest.fixture
def sorted_campaign():
    """A campaign over a map that was really trained."""
    survey = factories.make_survey(image_size=SIZE, recipe="sqrt-1")
    factories.make_subjects(N, survey=survey)
    images, _ = make_images(N, size=SIZE, seed=5, shapes=["compact", "frii", "bent"])
    with ShardWriter(survey.shard_folder, image_shape=(1, SIZE, SIZE), about={}) as writer:
        writer.append(images)
    plan = sorting_create(survey=survey, rows=2, columns=2, n_rotations=16, n_epochs=2, seed=4)
    return factories.make_campaign(sorting=sorting_run(sorting_id=plan.pk), votes_to_retire=20)


def vote(item, answer, n=4):
    for _ in range(n):
        factories.make_vote(item=item, answer=answer)


def largest(campaign):
    return campaign.sorting.prototypes.order_by("-n_members")[0]


def test_prototypes_that_people_call_mixed_are_proposed(campaign):
    mixed, *pure = campaign.items.filter(kind="prototype")
    vote(mixed, "mixed", 5)
    for item in pure:
        vote(item, "frii", 5)
    consensus_run(campaign=campaign)
    proposal = SplitProposal.objects.get(campaign=campaign)
    assert proposal.prototype == mixed.prototype
    assert proposal.probability_mixed > 0.5
    assert proposal.state == SplitProposal.State.PROPOSED


def test_a_proposal_goes_when_the_doubt_does_and_a_dismissed_one_stays(campaign):
    first, second, *pure = campaign.items.filter(kind="prototype")
    for item in (first, second):
        vote(item, "mixed", 3)
    for item in pure:
        vote(item, "frii", 5)
    consensus_run(campaign=campaign)
    assert SplitProposal.objects.count() == 2
    split_dismiss(campaign=campaign, prototype=second.prototype)
    vote(first, "frii", 9)
    consensus_run(campaign=campaign)
    left = SplitProposal.objects.get()
    assert (left.prototype, left.state) == (second.prototype, SplitProposal.State.DISMISSED)


def test_a_split_gives_members_a_map_that_is_asked_and_merged(sorted_campaign):
    campaign, prototype = sorted_campaign, largest(sorted_campaign)
    for item in campaign.items.filter(kind="prototype"):
        vote(item, "mixed" if item.prototype == prototype else "compact")
    before = consensus_run(campaign=campaign)
    job = prototype_split_later(campaign=campaign, prototype=prototype)
    assert prototype_split_later(campaign=campaign, prototype=prototype) == job
    assert job_run(job_id=job.pk).state == Job.State.DONE
    child = Sorting.objects.get(parent=prototype)
    assert child.assignments.count() == prototype.n_members == child.n_subjects
    assert set(child.assignments.values_list("subject", flat=True)) == set(
        prototype.members.values_list("subject", flat=True)
    )
    assert SplitProposal.objects.get(prototype=prototype).state == SplitProposal.State.SPLIT
    whole = campaign.items.get(kind="prototype", prototype=prototype)
    assert whole.retired_at is not None
    new = list(campaign.items.filter(kind="prototype", prototype__sorting=child))
    assert len(new) == child.prototypes.filter(n_members__gt=0).count() == job_items(job)
    # A vote before the next merge is believed as well.
    vote_record(
        volunteer=factories.make_volunteer(), item_id=new[0].pk, question_version=1,
        path=tree_path(default_tree(), "bent"), client_uuid=uuid.uuid4(), seconds=1.0,
        answered_at=timezone.now(),
    )  # fmt: skip
    assert before.item_beliefs.filter(prototype=new[0].prototype).exists()
    for item in new:
        vote(item, "bent")
    run = consensus_run(campaign=campaign)
    members = child.assignments.order_by("distance").values_list("subject", flat=True)
    row = run.subjects.get(subject=members[0])
    assert row.label == "bent"
    assert row.n_votes_prototype >= 4
    assert opinion_of(child).run == run
    grids = campaign.items.filter(kind="grid")
    assert not grids.filter(prototype__sorting=child).exists()


def job_items(job):
    return Job.objects.get(pk=job.pk).result["items"]


def test_a_child_map_is_no_map_of_the_survey(sorted_campaign):
    call_command("prototype_split", sorted_campaign.slug, *_place(largest(sorted_campaign)))
    child = Sorting.objects.exclude(parent=None).get()
    plan = {"rows": child.rows, "columns": child.columns, "seed": child.seed}
    assert sorting_find(survey=child.survey, **plan) == (
        sorted_campaign.sorting if child.rows == 2 else None
    )
    features = np.load(child.features_path)
    assert len(features) == child.n_subjects < N


def test_too_small_a_prototype_is_not_split(campaign):
    prototype = campaign.sorting.prototypes.first()
    prototype.n_members = 39
    prototype.save()
    with pytest.raises(CommandError, match="needs at least 40"):
        call_command("prototype_split", campaign.slug, *_place(prototype))


def test_a_prototype_of_another_map_is_not_split_here(campaign):
    stranger = factories.make_sorting().prototypes.first()
    with pytest.raises(SplitError, match="is not on the map of"):
        prototype_split_later(campaign=campaign, prototype=stranger)


@pytest.mark.parametrize("place", [["nothing", "0", "0"], ["", "99", "0"]])
def test_the_command_names_what_there_is_not(campaign, place):
    with pytest.raises(CommandError, match=r"There is no campaign|has no prototype 99, 0"):
        call_command("prototype_split", place[0] or campaign.slug, *place[1:])


# The page ------------------------------------------------------------------------------------
@pytest.fixture
def proposal(campaign):
    return SplitProposal.objects.create(
        campaign=campaign, prototype=largest(campaign), purity=0.4, probability_mixed=0.7
    )


def address(proposal):
    return f"/campaigns/{proposal.campaign.slug}/splits/{proposal.prototype_id}/"


def test_everybody_sees_the_list_and_scientists_decide(client, proposal):
    listed = f"/campaigns/{proposal.campaign.slug}/splits/"
    text = client.get(listed).content.decode()
    assert "40" in text
    assert "Sort its members" not in text
    client.force_login(factories.make_williamina())
    assert "Sort its members" in client.get(listed).content.decode()
    assert client.post(address(proposal)).url == listed
    assert Job.objects.get(task=SPLIT_TASK).arguments == {"proposal_id": proposal.pk}
    client.post(address(proposal), {"dismiss": "1"})
    proposal.refresh_from_db()
    assert proposal.state == SplitProposal.State.DISMISSED


def test_others_do_not_decide(client, proposal):
    assert client.post(address(proposal)).url.startswith("/accounts/login/")
    client.force_login(factories.make_charlie())
    assert client.post(address(proposal)).status_code == 403
    assert not Job.objects.exists()


def test_a_prototype_of_another_map_has_no_page_here(client, proposal):
    client.force_login(factories.make_williamina())
    stranger = factories.make_sorting().prototypes.first()
    gone = client.post(f"/campaigns/{proposal.campaign.slug}/splits/{stranger.pk}/")
    assert gone.status_code == 404


def _place(prototype):
    return [str(prototype.row), str(prototype.column)]
