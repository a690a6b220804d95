import pytest

from tests.factories import (
    make_annie,
    make_campaign,
    make_grid,
    make_single,
    make_volunteer,
    make_vote,
    make_votes,
    make_williamina,
)

pytestmark = pytest.mark.django_db


def test_a_newcomer_is_shown_the_way_to_the_campaigns(client) -> None:
    text = client.get("/me/").content.decode()
    assert "No answers yet" in text
    assert "To the campaigns" in text


def test_annie_sees_her_answers_with_links_and_nobody_elses(client) -> None:
    annie = make_annie()
    campaign = make_campaign(slug="radio", title="Shapes")
    prototype = campaign.items.filter(kind="prototype")[0]
    outlier = campaign.items.filter(kind="outlier")[0]
    hers = make_volunteer(annie)
    make_vote(prototype, volunteer=hers, answer="frii")
    make_vote(outlier, volunteer=hers, answer="bent")
    make_vote(prototype, volunteer=make_volunteer(make_williamina()), answer="artefact")
    client.force_login(annie)
    text = client.get("/me/").content.decode()
    assert "2 answers so far" in text
    assert f'href="/prototypes/{prototype.prototype_id}/"' in text
    assert f'href="/subjects/{outlier.subject_id}/"' in text
    assert ">FR II</span>" in text
    assert ">Bent</span>" in text
    assert ">Artefact</span>" not in text


def test_an_answer_is_worded_as_it_was_when_given(client) -> None:
    annie = make_annie()
    campaign = make_campaign()
    vote = make_vote(campaign.items.all()[0], volunteer=make_volunteer(annie), answer="frii")
    tree = campaign.questions.get().tree
    for answer in tree["questions"]["shape"]["answers"]:
        answer["label"] = f"New words for {answer['key']}"
    campaign.questions.create(version=2, tree=tree)
    client.force_login(annie)
    assert vote.question.version == 1
    assert ">FR II</span>" in client.get("/me/").content.decode()


def test_many_answers_come_on_pages_in_few_queries(client, django_assert_max_num_queries) -> None:
    annie = make_annie()
    campaign = make_campaign(n_outliers=30)
    for vote in make_votes(campaign, n_volunteers=1):
        vote.volunteer = make_volunteer(annie)
        vote.save()
    for _ in range(3):
        another = make_campaign(n_outliers=20)
        for item in another.items.all():
            make_vote(item, volunteer=make_volunteer(annie))
    client.force_login(annie)
    with django_assert_max_num_queries(9):
        text = client.get("/me/").content.decode()
    assert "Page 1 of 3" in text
    assert "Page 3 of 3" in client.get("/me/?page=3").content.decode()
    assert "Page 3 of 3" in client.get("/me/?page=99").content.decode()


def test_a_sorted_grid_says_what_was_ticked_where(client) -> None:
    annie = make_annie()
    grid = make_grid(make_campaign(), label="bent")
    subjects = list(grid.members.values_list("subject", flat=True))
    ticks = {"answer": "sorted", "path": [], "ticked": subjects[:2]}
    make_vote(grid, volunteer=make_volunteer(annie), **ticks)
    client.force_login(annie)
    text = client.get("/me/").content.decode()
    assert f'href="/prototypes/{grid.prototype_id}/">Prototype 0, 0</a>' in text
    assert "called Bent" in text
    assert f"2 of {len(subjects)} ticked" in text
    mixed = make_grid(grid.campaign, label="fri")
    make_vote(mixed, volunteer=make_volunteer(annie), answer="too_mixed", path=[], ticked=[])
    assert "Too mixed to say" in client.get("/me/").content.decode()


def test_of_a_known_subject_it_says_what_experts_say(client) -> None:
    annie = make_annie()
    gold = make_single(make_campaign(), "gold", label="frii")
    make_vote(gold, volunteer=make_volunteer(annie), answer="fri")
    client.force_login(annie)
    text = client.get("/me/").content.decode()
    assert ">FR I</span>" in text
    assert "Experts: FR II" in text
