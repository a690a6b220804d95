import pytest

from tests.factories import (
    make_annie,
    make_campaign,
    make_consensus_run,
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
    with django_assert_max_num_queries(13):
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


def test_it_says_how_many_others_agree_and_what_it_is_taken_for(client) -> None:
    annie = make_annie()
    campaign = make_campaign()
    # The run of the factory takes the first item for compact.
    item = campaign.items.order_by("id")[0]
    vote = make_vote(item, volunteer=make_volunteer(annie), answer="compact")
    client.force_login(annie)
    assert "Nobody else has answered this one yet." in client.get("/me/").content.decode()
    make_vote(item, answer="compact")
    make_vote(item, answer="frii")
    make_consensus_run(campaign)
    text = client.get("/me/").content.decode()
    assert "1 of 2 others say the same." in text
    assert "Taken together it is Compact, too (90\N{NARROW NO-BREAK SPACE}%)." in text
    vote.answer = "bent"
    vote.save()
    text = client.get("/me/").content.decode()
    assert "Others see it as Compact (90\N{NARROW NO-BREAK SPACE}%); both may be right." in text
    vote.answer = "unknown"
    vote.save()
    text = client.get("/me/").content.decode()
    assert "Taken together it is Compact (90\N{NARROW NO-BREAK SPACE}%)." in text
    assert "both may be right" not in text


def test_of_a_single_picture_it_says_what_the_newest_run_takes_it_for(client) -> None:
    annie = make_annie()
    item = make_campaign().items.filter(kind="outlier")[0]
    make_vote(item, volunteer=make_volunteer(annie), answer="other")
    make_consensus_run(item.campaign)
    newest = make_consensus_run(item.campaign)
    newest.subjects.filter(subject=item.subject).update(label="bent", probability=0.75)
    client.force_login(annie)
    assert "By its look-alikes it may be Bent (75" in client.get("/me/").content.decode()
    make_vote(item, answer="bent")
    text = client.get("/me/").content.decode()
    assert "Others see it as Bent (75" in text
    assert "1 other has chosen something else." in text
    make_vote(item, answer="other")
    text = client.get("/me/").content.decode()
    assert "By its look-alikes it may be Bent (75" in text
    assert "1 of 2 others say the same." in text
    newest.subjects.update(is_unknown=True)
    assert "Others see it as" not in client.get("/me/").content.decode()


def test_of_a_grid_it_says_on_how_many_pictures_others_agree(client) -> None:
    annie = make_annie()
    grid = make_grid(make_campaign())
    one, two, three, *rest = grid.members.values_list("subject", flat=True)
    own = make_volunteer(annie)
    make_vote(grid, volunteer=own, answer="sorted", path=[], ticked=[one, two])
    for ticked in ([one, three], [one, three], [two]):
        make_vote(grid, answer="sorted", path=[], ticked=ticked)
    make_vote(grid, answer="too_mixed", path=[], ticked=[])
    client.force_login(annie)
    expected = f"3 others have sorted it too; you agree on {1 + len(rest)} of {3 + len(rest)} pict"
    assert expected in client.get("/me/").content.decode()


def test_experts_and_not_the_crowd_speak_of_gold(client) -> None:
    annie = make_annie()
    gold = make_single(make_campaign(), "gold", label="frii")
    make_vote(gold, volunteer=make_volunteer(annie), answer="fri")
    make_vote(gold, answer="fri")
    make_consensus_run(gold.campaign)
    client.force_login(annie)
    text = client.get("/me/").content.decode()
    assert "say the same" not in text
    assert "says the same" not in text
    assert "Others see it as" not in text
