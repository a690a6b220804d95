"""A volunteer is told what their answers have done."""

import pytest
from django.utils import timezone

from protozoo.voting.models import Item
from protozoo.voting.standing import OwnStanding, own_standing
from tests.factories import (
    make_campaign,
    make_grid,
    make_single,
    make_sorting,
    make_volunteer,
    make_vote,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_campaign(sorting=make_sorting(rows=1, columns=3, n_subjects=30, n_empty=0))


def retire(item: Item) -> None:
    item.retired_at, item.retired_because = timezone.now(), "count"
    item.save()


def test_an_answer_speaks_for_all_that_its_item_shows(campaign) -> None:
    volunteer = make_volunteer()
    group = campaign.items.filter(kind="prototype")[0]
    grid = make_grid(
        campaign, subjects=[each.pk for each in campaign.sorting.survey.subjects.all()[:9]]
    )
    make_vote(group, volunteer=volunteer)
    make_vote(grid, volunteer=volunteer, answer="sorted", path=[], ticked=[])
    make_vote(make_single(campaign, "subject"), volunteer=volunteer)
    make_vote(make_single(campaign, "gold", label="fri"), volunteer=volunteer)
    make_vote(group)
    retire(group)
    retire(grid)
    assert own_standing(volunteer) == OwnStanding(n_answers=4, n_pictures=10 + 9 + 1, n_settled=2)


def test_an_answer_that_no_longer_counts_is_not_counted(campaign) -> None:
    volunteer = make_volunteer()
    make_vote(campaign.items.all()[0], volunteer=volunteer, superseded_at=timezone.now())
    assert own_standing(volunteer) == OwnStanding(0, 0, 0)


def test_one_query_is_enough_and_nobody_needs_none(campaign, django_assert_num_queries) -> None:
    volunteer = make_volunteer()
    make_vote(campaign.items.all()[0], volunteer=volunteer)
    with django_assert_num_queries(1):
        own_standing(volunteer)
    with django_assert_num_queries(0):
        assert own_standing(None) == OwnStanding(0, 0, 0)
