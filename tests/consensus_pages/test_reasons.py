"""Why a subject has its label, in plain sentences."""

import pytest

from protozoo.consensus.labels import Labels
from protozoo.consensus.reasons import reasons
from protozoo.consensus.selectors import standing_of
from tests.factories import make_review, make_subject, make_williamina

pytestmark = pytest.mark.django_db

THIN = "\N{NARROW NO-BREAK SPACE}"


@pytest.fixture
def place(zoo):
    """The second nearest of a prototype's eight members."""
    prototype = zoo.sorting.prototypes.first()
    return prototype.members.order_by("distance")[1]


def said_of(subject, **posterior) -> list[str]:
    subject.posteriors.update(**posterior)
    return [sentence.replace(THIN, " ") for sentence in reasons(standing_of(subject))]


def test_shares_are_told_with_their_votes(place):
    said = said_of(
        place.subject,
        weight_prototype=0.72,
        n_votes_prototype=6,
        weight_direct=0.2,
        n_votes_direct=1,
        weight_prior=0.08,
    )
    assert said == [
        "20 % comes from one vote on this very picture.",
        (
            "72 % comes from 6 votes on its prototype 0, 0, where it lies with 7 look-alikes;"
            " 14 % of them resemble the prototype more."
            f" A lesser part of that comes from votes on the next one, {place.second_prototype}."
        ),
        "8 % comes from how common each class is among everything that was voted on.",
    ]


def test_grids_and_look_alikes_are_told(place):
    said = said_of(
        place.subject,
        weight_prototype=0.5,
        weight_grid=0.3,
        n_votes_grid=2,
        weight_head=0.2,
        weight_prior=0.0,
    )
    assert said[0] == (
        "30 % comes from 2 answers to grids in which it was shown among members of its prototype."
    )
    assert said[2] == (
        "20 % comes from what the machine has learnt of votes on subjects that look like it,"
        " wherever they lie on the map."
    )


def test_an_unknown_subject_is_told_as_a_guess(place):
    first = said_of(place.subject, is_unknown=True)[0]
    assert first.startswith("No prototype resembles it and nobody has judged it yet")


def test_what_does_not_count_is_said(place):
    said = said_of(place.subject, weight_prototype=0.0, weight_direct=1.0, weight_prior=0.0)
    assert said[1:] == ["What volunteers said of its prototype 0, 0 (3 votes) hardly counts here."]


def test_a_prototype_without_votes_is_said(place):
    said = said_of(place.subject, weight_prototype=0.0, n_votes_prototype=0, weight_prior=1.0)
    assert "Nobody has voted on its prototype 0, 0 yet." in said


def test_a_next_prototype_is_named_only_where_it_has_a_say(place):
    place.second_distance = 4 * place.distance
    place.save()
    assert "next one" not in " ".join(said_of(place.subject, weight_prototype=0.9))


def test_votes_on_the_next_prototype_alone_are_said(place):
    said = said_of(place.subject, weight_prototype=0.6, n_votes_prototype=0, weight_direct=0.0)
    assert said[0] == (
        f"60 % comes from votes on the next prototype, {place.second_prototype};"
        " nobody has voted on its own, prototype 0, 0, yet."
    )


def test_nearest_and_farthest_are_told(zoo):
    members = list(zoo.sorting.prototypes.first().members.order_by("distance"))
    assert "none resembles the prototype more" in said_of(members[0].subject)[0]
    assert "all of them resemble the prototype more" in said_of(members[-1].subject)[0]


def test_a_review_comes_first(zoo, place):
    reviewer = make_williamina()
    make_review(place.subject, campaign=zoo.campaign, reviewer=reviewer, label="fri")
    make_review(
        place.subject, campaign=zoo.campaign, reviewer=reviewer, label="bent", note="Tails."
    )
    first = said_of(place.subject)[0]
    assert first.startswith("williamina looked at it on ")
    posterior = place.subject.posteriors.get()
    says = Labels(posterior.run.question).of(posterior.label).name
    assert first.endswith(
        "decided: Bent. This overrules votes and machine,"
        f" which say {says} for the reasons below. Their note: “Tails.”"
    )


def test_an_audit_subject_is_told(zoo):
    subject = zoo.sorting.survey.subjects.filter(is_audit=True).first()
    assert said_of(subject)[-1].startswith("It belongs to the audit sample")


def test_a_subject_without_a_run_has_no_reasons(db):
    assert reasons(standing_of(make_subject())) == []
