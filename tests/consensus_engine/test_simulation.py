"""Invented volunteers are as uneven as real ones."""

import numpy as np
import pytest

from skysort.consensus.simulation import gini, simulate_crowd
from skysort.errors import InputError

CLASSES = ("compact", "fri", "frii", "bent")


def make_crowd(n=4000, **changes):
    return simulate_crowd(n, CLASSES, **{"seed": 1} | changes)


def test_equal_seeds_give_equal_crowds():
    np.testing.assert_array_equal(make_crowd(20).confusion, make_crowd(20).confusion)
    assert not np.array_equal(make_crowd(20).effort, make_crowd(20, seed=2).effort)


def test_few_do_most_of_the_work():
    crowd = make_crowd()
    assert gini(crowd.effort) == pytest.approx(0.9, abs=0.04)
    votes = np.bincount(crowd.pick(50_000, np.random.default_rng(1)), minlength=4000)
    assert np.sort(votes)[-400:].sum() > 0.7 * votes.sum()


def test_shares_of_spammers_and_anonymous_are_kept():
    crowd = make_crowd(spammers=0.1, anonymous=0.3)
    assert crowd.is_spammer.mean() == pytest.approx(0.1, abs=0.02)
    assert crowd.is_anonymous.mean() == pytest.approx(0.3, abs=0.03)


def test_votes_have_the_given_mean_skill_that_and_differs_by_volunteer_and_class():
    crowd = make_crowd(spammers=0.0, anonymous=0.0, skill=0.8)
    skill = np.diagonal(crowd.confusion, axis1=1, axis2=2)
    assert crowd.effort @ skill.mean(axis=1) == pytest.approx(0.8, abs=1e-6)
    assert skill.mean(axis=1).std() > 0.05
    assert skill.std(axis=1).mean() > 0.03
    np.testing.assert_allclose(crowd.confusion.sum(axis=2), 1.0)


def test_answers_follow_the_confusion_matrix():
    crowd = make_crowd(5, spammers=0.0)
    rng = np.random.default_rng(2)
    answers = crowd.answer(np.full(40_000, 3), np.full(40_000, 2), rng)
    shares = np.bincount(answers, minlength=6) / 40_000
    unsure = crowd.unsure[3]
    np.testing.assert_allclose(shares[:4], (1 - unsure) * crowd.confusion[3, 2], atol=0.01)
    assert shares[4] == 0.0
    assert shares[5] == pytest.approx(unsure, abs=0.005)


def test_spammers_do_not_look():
    crowd = make_crowd(spammers=1.0)
    np.testing.assert_allclose(crowd.confusion[:, 0], crowd.confusion[:, 3])
    shares = np.tile([0.25, 0.25, 0.25, 0.25], (4000, 1))
    answers = crowd.answer_group(np.arange(4000), shares, np.random.default_rng(3))
    assert "mixed" not in {crowd.answers[a] for a in answers}


def test_groups_are_called_mixed_the_more_the_less_pure_they_are():
    crowd, rng = make_crowd(spammers=0.0), np.random.default_rng(4)
    rates = []
    for purity in (0.5, 0.65, 0.8, 0.95):
        shares = np.tile([purity, 1 - purity, 0.0, 0.0], (4000, 1))
        answers = crowd.answer_group(np.arange(4000), shares, rng)
        rates.append(np.mean(answers == crowd.answers.index("mixed")))
    assert rates[0] > 0.55
    assert rates[-1] < 0.02
    assert np.all(np.diff(rates) < 0.0)


def test_one_volunteer_may_answer_one_thing():
    crowd = make_crowd(3)
    assert crowd.answer(1, 2, np.random.default_rng(5)).shape == (1,)
    assert crowd.answer_group(1, [1.0, 0, 0, 0], np.random.default_rng(5)).shape == (1,)


def test_prototypes_take_longer_than_subjects():
    crowd, rng = make_crowd(), np.random.default_rng(6)
    who = crowd.pick(5000, rng)
    prototype, subject = (crowd.seconds(who, kind, rng) for kind in ("prototype", "subject"))
    assert np.median(prototype) > 1.3 * np.median(subject) > 0.0
    assert np.mean(prototype) > 1.1 * np.median(prototype)


def test_a_single_class_is_always_named():
    crowd = simulate_crowd(10, ["star"], seed=1, spammers=0.0)
    np.testing.assert_array_equal(crowd.confusion, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n_volunteers must be at least 1"),
        ({"skill": 1.0}, "skill must lie between 0 and 1"),
        ({"spammers": -0.1}, "spammers must lie between 0 and 1"),
        ({"anonymous": 2}, "anonymous must lie between 0 and 1"),
    ],
)
def test_refuses_an_impossible_crowd(arguments, message):
    with pytest.raises(InputError, match=message):
        make_crowd(**arguments)


def test_refuses_impossible_questions():
    crowd, rng = make_crowd(2), np.random.default_rng(7)
    with pytest.raises(InputError, match="classes must name at least one"):
        simulate_crowd(2, [], seed=1)
    with pytest.raises(InputError, match="truth_class must lie between 0 and 3"):
        crowd.answer(0, 4, rng)
    with pytest.raises(InputError, match=r"shares must have shape \(1, 4\)"):
        crowd.answer_group(0, [1.0, 0.0], rng)
    with pytest.raises(InputError, match="kind must be one of prototype, subject"):
        crowd.seconds(0, "planet", rng)
    with pytest.raises(InputError, match="values must be at least 0"):
        gini([])
