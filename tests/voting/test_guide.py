"""Volunteers learn from the campaign's own pictures, never from those that measure."""

import re

import pytest

from protozoo.sorting.models import Assignment
from protozoo.voting.guide import Guide, guide_of
from tests.factories import (
    make_campaign,
    make_single,
    make_sorting,
    make_vote,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    """Three groups of ten; 6 of the 30 subjects are of the audit sample."""
    sorting = make_sorting(rows=1, columns=3, n_subjects=30, n_audit=6, n_empty=0)
    return make_campaign(sorting=sorting, slug="radio")


def agree(campaign, place: int, answer: str, *, n: int = 3, n_other: int = 0) -> None:
    """Let people say what a group is."""
    item = campaign.items.filter(kind="prototype").order_by("prototype__column")[place]
    for _ in range(n):
        make_vote(item, answer=answer)
    for _ in range(n_other):
        make_vote(item, answer="other")


def entries(guide: Guide) -> dict:
    return {entry.answer["key"]: entry.examples for entry in guide.entries}


def subjects_of(urls) -> set[int]:
    """Tell which subjects addresses of pictures show."""
    found = set()
    for url in urls:
        kind, key = re.search(r"pictures/(\w+)/(\d+)", url).groups()
        if kind == "members":
            found.add(Assignment.objects.get(pk=key).subject_id)
        elif kind == "subjects":
            found.add(int(key))
    return found


def all_urls(guide: Guide) -> list[str]:
    told = guide.tutorial
    examples = [each for entry in guide.entries for each in entry.examples]
    if told.turning:
        examples += [told.turning.group, *told.turning.before, *told.turning.after]
    if told.question:
        examples.append(told.question.picture)
    if told.grid:
        examples += [told.grid.group, *told.grid.members]
    if told.outlier:
        examples.append(told.outlier)
    return [each.url for each in examples]


def test_every_answer_stands_in_the_guide_in_the_trees_order(campaign) -> None:
    keys = [entry.answer["key"] for entry in guide_of(campaign).entries]
    assert keys == ["compact", "fri", "frii", "bent", "other", "artefact", "mixed", "unknown"]


def test_a_class_is_shown_by_the_nearest_members_of_groups_that_people_agree_on(campaign) -> None:
    agree(campaign, 0, "frii")
    agree(campaign, 2, "frii", n=6, n_other=1)
    groups = campaign.sorting.prototypes.order_by("column")
    nearest = [
        group.members.filter(subject__is_audit=False).order_by("distance")[place].subject_id
        for place, group in ((0, groups[0]), (0, groups[2]), (1, groups[0]))
    ]
    shown = entries(guide_of(campaign))
    assert subjects_of(example.url for example in shown["frii"]) == set(nearest)
    assert all(not examples for key, examples in shown.items() if key != "frii")


@pytest.mark.parametrize(("n", "n_other"), [(1, 0), (2, 1), (1, 2)])
def test_a_doubtful_group_is_no_example(campaign, n: int, n_other: int) -> None:
    agree(campaign, 0, "frii", n=n, n_other=n_other)
    assert not entries(guide_of(campaign))["frii"]


def test_gold_comes_first_but_only_a_part_of_it(campaign) -> None:
    gold = [make_single(campaign, "gold", label="bent", order=n).subject_id for n in range(9)]
    agree(campaign, 0, "bent")
    shown = subjects_of(example.url for example in entries(guide_of(campaign))["bent"])
    assert shown & set(gold) == set(gold[:2])
    assert len(shown) == 3


def test_neither_audit_subjects_nor_gold_to_be_asked_are_shown(campaign) -> None:
    for place, answer in enumerate(("compact", "fri", "bent")):
        agree(campaign, place, answer)
    nearest = campaign.sorting.assignments.filter(subject__is_audit=False).order_by("distance")
    gold = [make_single(campaign, "gold", each.subject, label="fri") for each in nearest[:3]]
    urls = all_urls(guide_of(campaign))
    shown = subjects_of(urls)
    assert len(shown) > 8
    assert not shown & {item.subject_id for item in gold}
    audit = campaign.sorting.survey.subjects.filter(is_audit=True)
    assert not shown & set(audit.values_list("pk", flat=True))


def test_the_practice_grid_hides_one_of_another_class(campaign) -> None:
    agree(campaign, 0, "frii")
    agree(campaign, 1, "compact")
    grid = guide_of(campaign).tutorial.grid
    homes = [
        Assignment.objects.get(pk=re.search(r"members/(\d+)", member.url)[1]).prototype.column
        for member in grid.members
    ]
    odd = homes.pop(grid.odd)
    assert len(set(homes)) == 1
    assert {odd, homes[0]} == {0, 1}


def test_the_practice_question_knows_what_others_see(campaign) -> None:
    agree(campaign, 1, "bent")
    question = guide_of(campaign).tutorial.question
    assert question.answer == "bent"
    (subject,) = subjects_of([question.picture.url])
    group = campaign.sorting.prototypes.get(column=1)
    assert group.members.filter(subject=subject).exists()


def test_a_campaign_without_votes_still_has_a_tutorial(campaign) -> None:
    told = guide_of(campaign).tutorial
    assert told.question.answer is None
    assert len(told.turning.before) == len(told.turning.after) == 4
    assert len(told.grid.members) == 6
    assert told.outlier is not None


def test_a_campaign_of_few_pictures_has_words_alone() -> None:
    sorting = make_sorting(rows=1, columns=1, n_subjects=2, n_audit=2, n_empty=0)
    told = guide_of(make_campaign(sorting=sorting)).tutorial
    assert (told.turning, told.question, told.grid, told.outlier) == (None, None, None, None)


def test_the_guide_is_fetched_by_anybody_and_kept_a_while(client, campaign) -> None:
    agree(campaign, 0, "frii")
    answer = client.get("/api/campaigns/radio/guide/")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, max-age=300"
    entry = answer.json()["entries"][2]
    assert (entry["key"], entry["label"], entry["number"]) == ("frii", "FR II", 3)
    assert "edge-brightened" in entry["help"]
    assert len(entry["examples"]) == 3
    assert answer.json()["tutorial"]["question"]["answer"] == "frii"


def test_no_draft_and_no_stranger_has_a_guide(client) -> None:
    make_campaign(slug="later", state="draft")
    for slug in ("later", "nowhere"):
        assert client.get(f"/api/campaigns/{slug}/guide/").status_code == 404
        assert client.get(f"/campaigns/{slug}/guide/").status_code == 404


def test_the_guide_asks_few_queries(client, campaign, django_assert_max_num_queries) -> None:
    for place, answer in enumerate(("compact", "fri", "bent")):
        agree(campaign, place, answer)
    # One for each group shown, of which there are at most three a class.
    with django_assert_max_num_queries(11):
        client.get("/api/campaigns/radio/guide/")


def test_the_guide_has_a_page_without_a_script(client, campaign) -> None:
    agree(campaign, 0, "frii")
    text = client.get("/campaigns/radio/guide/").content.decode()
    assert '<div id="frii">' in text
    assert "edge-brightened" in text
    assert text.count("/pictures/subjects/") == 3
    assert 'href="/campaigns/radio/classify/"' in text
    assert 'href="/campaigns/radio/guide/"' in client.get("/campaigns/radio/").content.decode()
