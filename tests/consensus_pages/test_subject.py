"""A subject: where it is, what it is and why, and the scientist's decision."""

import json
import re
from html import unescape

import pytest
from django.utils.text import slugify

from protozoo.consensus.models import Review
from protozoo.subjects.pixels import subject_version
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_grid,
    make_review,
    make_sorting,
    make_subject,
    make_volunteer,
    make_vote,
    make_williamina,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def subject(zoo):
    return zoo.sorting.survey.subjects.first()


def page(client, subject, query: str = "") -> str:
    answer = client.get(f"/subjects/{subject.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def decide(client, subject, **data):
    return client.post(f"/subjects/{subject.pk}/review/", {"label": "bent", **data})


def test_everybody_sees_label_reasons_and_votes(client, subject, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        html = page(client, subject)
    assert "Why Compact" in html
    assert "on its prototype 0, 0" in html
    assert html.count("its prototype</td>") == 3


def test_entropy_and_the_people_behind_a_label_are_told(client, subject):
    subject.posteriors.update(entropy_bits=0.4321, n_volunteers=3, reliability=0.81)
    html = page(client, subject)
    assert "<dd>0.43 bits</dd>" in html
    assert "3, who name the true class in 81" in html


def test_an_unknown_subject_is_called_so_until_somebody_decides(client, zoo, subject):
    subject.posteriors.update(is_unknown=True)
    assert "Why Unknown" in page(client, subject)
    make_review(subject, campaign=zoo.campaign, reviewer=make_williamina(), label="fri")
    assert "Why Unknown" not in page(client, subject)


def test_ticks_and_passes_in_grids_stand_among_the_votes(client, zoo, subject):
    grid = make_grid(zoo.campaign, label="frii")
    others = [member.subject_id for member in grid.members.all()][1:3]
    for ticked in ([subject.pk], others):
        make_vote(grid, answer="sorted", path=[], ticked=ticked)
    make_vote(grid, answer="too_mixed", path=[], ticked=[])
    html = page(client, subject)
    assert html.count("it in a grid</td>") == 3
    assert html.count("<td>not") == 1
    assert "Too mixed to say" in html


def test_positions_are_written_both_ways(client):
    subject = make_subject(ra_deg=161.265, dec_deg=-59.68453)
    html = page(client, subject)
    assert "161.2650°, \N{MINUS SIGN}59.6845°" in html
    assert "10 45 03.60 -59 41 04.3" in html


def test_sky_services_are_plain_links_that_tell_them_nothing(client):
    html = page(client, make_subject(ra_deg=161.265, dec_deg=-59.68453))
    assert 'rel="noopener external"' in html
    assert "target=161.265000%20-59.684530" in html


def test_volunteers_are_not_named(client, zoo, subject):
    annie = make_annie()
    prototype = subject.assignments.get().prototype
    item = zoo.campaign.items.get(prototype=prototype)
    make_vote(item, volunteer=make_volunteer(annie), answer="fri")
    make_vote(item, volunteer=make_volunteer(is_simulated=True), answer="fri")
    html = page(client, subject)
    assert "annie" not in html
    assert ">volunteer 4<" in html
    assert ">simulated volunteer 5<" in html


def test_text_of_a_survey_is_escaped(client):
    subject = make_subject(identifier="<b>J1</b>", columns={"<i>": "<script>alert(1)</script>"})
    html = page(client, subject)
    assert "<script>alert" not in html
    assert "<b>J1" not in html


@pytest.mark.parametrize(("query", "stretch"), [("?stretch=log", "log"), ("?stretch=no", "sqrt")])
def test_the_stretch_can_be_chosen(query, stretch, client, subject):
    html = page(client, subject, query)
    assert f'?stretch={stretch}" aria-current="true"' in html
    assert (f"stretch={stretch}&amp;v=" in html) == (stretch != "sqrt")


def test_its_pixels_are_shown_and_can_be_downloaded(client, subject):
    html = page(client, subject)
    address = f"/pixels/subjects/{subject.pk}.fits?v={subject_version(subject)}"
    assert f'<a href="{address}" download="{slugify(subject.identifier)}.fits">' in html
    props = json.loads(unescape(re.search(r'data-island="viewer" data-props="([^"]+)"', html)[1]))
    assert props["picture"]["pixels_url"] == address
    assert props["picture"]["scale_arcsec"] == subject.survey.pixel_scale_arcsec


def test_a_subject_that_is_not_sorted_says_so(client):
    assert "has not been sorted yet" in page(client, make_subject())


def test_a_sorted_subject_without_a_campaign_says_so(client):
    subject = make_sorting().survey.subjects.first()
    assert "no campaign has asked people" in page(client, subject)


def test_a_subject_before_the_merge_says_so(client):
    subject = make_campaign().sorting.survey.subjects.first()
    assert "have not been merged yet" in page(client, subject)


def test_an_unknown_subject_is_not_found(client):
    assert client.get("/subjects/1/").status_code == 404


def test_a_scientist_decides(client, zoo, subject):
    williamina = make_williamina()
    client.force_login(williamina)
    assert "Write it down" in page(client, subject)
    answer = decide(client, subject, note="Two tails.")
    assert (answer.status_code, answer["Location"]) == (302, f"/subjects/{subject.pk}/")
    review = Review.objects.get()
    assert (review.subject, review.campaign, review.reviewer) == (
        subject,
        zoo.campaign,
        williamina,
    )
    assert (review.label, review.note) == ("bent", "Two tails.")
    html = page(client, subject)
    assert "Why Bent" in html
    assert "Your decision is written down." in html


def test_the_newest_decision_counts(client, zoo, subject):
    reviewer = make_williamina()
    for label in ("bent", "fri"):
        make_review(subject, campaign=zoo.campaign, reviewer=reviewer, label=label)
    html = page(client, subject)
    assert "Why FR I<" in html
    assert html.count("(overruled)") == 1


@pytest.mark.parametrize("label", ["", "galaxy", "mixed", "unknown"])
def test_only_classes_can_be_decided(label, client, subject):
    client.force_login(make_williamina())
    answer = decide(client, subject, label=label)
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not Review.objects.exists()


def test_nothing_can_be_decided_before_a_campaign(client):
    client.force_login(make_williamina())
    subject = make_subject()
    assert "Write it down" not in page(client, subject)
    assert decide(client, subject).status_code == 404


def test_a_visitor_is_asked_to_log_in(client, subject):
    answer = decide(client, subject)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")
    assert not Review.objects.exists()


@pytest.mark.parametrize("make_user", [make_annie, make_charlie])
def test_others_may_not_decide(make_user, client, subject):
    client.force_login(make_user())
    assert "Write it down" not in page(client, subject)
    assert decide(client, subject).status_code == 403
    assert not Review.objects.exists()


def test_a_decision_is_posted(client, subject):
    client.force_login(make_williamina())
    assert client.get(f"/subjects/{subject.pk}/review/").status_code == 405


def test_the_label_is_in_the_api(client, subject, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):
        answer = client.get(f"/api/subjects/{subject.pk}/label/").json()
    assert answer["label"] == "compact"
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["reviewed_as"] is None
    assert answer["reasons"]


def test_the_api_says_when_there_is_no_label(client):
    answer = client.get(f"/api/subjects/{make_subject().pk}/label/").json()
    assert (answer["run"], answer["label"], answer["reasons"]) == (None, None, [])
    assert client.get("/api/subjects/0/label/").status_code == 404
