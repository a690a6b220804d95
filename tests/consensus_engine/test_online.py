"""One more vote between two refits moves its item and its volunteer as a refit would."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.dawid_skene import Judgments, fit_dawid_skene
from skysort.consensus.online import (
    ItemState,
    OnlineCrowd,
    Step,
    VolunteerState,
    add_judgments,
    add_vote,
    guess_judgments,
    guess_vote,
    start_online,
    step_between,
    take_back,
)
from skysort.errors import InputError
from tests.consensus_engine.crowds import make_votes
from tests.consensus_engine.difficult_crowds import make_difficult

#: How far the online update may be from a refit after a twentieth more votes: the mean over the
#: items voted on of the largest change of a probability; the same as a share of what the votes
#: moved; and the share of all items with another label.
MEAN_TOLERANCE, SHARE_TOLERANCE, LABEL_TOLERANCE = 0.05, 0.5, 0.04


def fit(votes, chosen=slice(None), **changes):
    columns = (votes.item[chosen], votes.worker[chosen], votes.answer[chosen])
    return fit_dawid_skene(*columns, **votes.sizes | {"tolerance": 1e-6} | changes)


def rows_of(result, votes, chosen=slice(None), **changes):
    columns = (votes.item[chosen], votes.worker[chosen], votes.answer[chosen])
    return start_online(result, *columns, **changes)


def made_judgments(votes, n=900):
    rng = np.random.default_rng(3)
    item, worker = rng.integers(0, len(votes.truth), n), rng.integers(0, votes.n_workers, n)
    label = np.where(rng.random(n) < 0.7, votes.truth[item], rng.integers(0, 3, n))
    ticked = rng.random(n) < np.where(label == votes.truth[item], 0.1, 0.7)
    return Judgments(item, worker, label, ticked)


@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_starts_where_the_fit_ended(correlation):
    votes = make_votes(1)
    prior = np.full((60, 3), np.nan)
    prior[7] = 0.2, 0.7, 0.1
    known = np.where(np.arange(60) == 9, 2, -1)
    given_ = {
        "item_group": np.arange(60) % 2,
        "item_mask": np.arange(60) != 4,
        "item_prior": prior,
        "known": known,
        "judgments": made_judgments(votes),
    }
    result = fit(votes, **given_, correlation=correlation, tolerance=1e-10, max_iterations=1000)
    rows = rows_of(result, votes, **given_)
    items = np.array([rows.item(i).probabilities for i in range(60)])
    np.testing.assert_allclose(items, result.item_probabilities, atol=1e-8)
    for w in range(12):
        volunteer = rows.volunteer(w)
        for kind in (0, 1):
            np.testing.assert_allclose(
                volunteer.confusion(rows.crowd, kind), result.confusion[kind, w], atol=1e-6
            )
        np.testing.assert_allclose(volunteer.odds(rows.crowd), result.judgment_odds[w], rtol=1e-5)


def test_a_stranger_answers_like_the_crowd():
    votes = make_votes(2)
    result = fit(votes)
    stranger = rows_of(result, votes).volunteer(-1)
    crowd = rows_of(result, votes).crowd
    np.testing.assert_allclose(stranger.confusion(crowd, 0), result.crowd_confusion[0])
    np.testing.assert_array_equal(stranger.odds(crowd), 1.0)


def streamed(rows, votes, later):
    """Add votes one by one; probabilities (I, K) at the end."""
    items, volunteers = {}, {}
    for v in later:
        i, w = int(votes.item[v]), int(votes.worker[v])
        items[i], volunteers[w] = add_vote(
            rows.crowd,
            items.get(i) or rows.item(i),
            volunteers.get(w) or rows.volunteer(w),
            kind=0,
            answer=int(votes.answer[v]),
        )
    n_items = len(rows.item_group)
    return np.array([(items.get(i) or rows.item(i)).probabilities for i in range(n_items)])


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), hardness=st.sampled_from([0.0, 1.2]))
def test_equals_a_refit_within_the_tolerance(seed, hardness):
    votes = make_difficult(seed, n_items=400, n_workers=40, hardness=hardness, skill=1.3)
    order = np.random.default_rng(seed).permutation(2000)
    early, later = order[:1900], order[1900:]
    chosen = {"correlation": 0.1 if hardness else 0.0, "crowd_strength": 200.0}
    first = fit(votes, early, **chosen)
    online = streamed(rows_of(first, votes, early), votes, later)
    refit = fit(votes, **chosen, start=first).item_probabilities
    touched = np.unique(votes.item[later])
    change = np.abs(online - refit).max(axis=1)[touched]
    moved = np.abs(first.item_probabilities - refit).max(axis=1)[touched]
    assert change.mean() < MEAN_TOLERANCE
    assert change.mean() < SHARE_TOLERANCE * moved.mean()
    assert (online.argmax(axis=1) != refit.argmax(axis=1)).mean() < LABEL_TOLERANCE


def test_a_grid_moves_its_members_and_its_volunteer_as_a_refit_does():
    votes = make_votes(4, n_items=400, n_votes=600)
    judged = made_judgments(votes)
    result = fit(votes, judgments=judged)
    rows = rows_of(result, votes, judgments=judged)
    members = [3, 8, 21, 40, 41, 55]
    ticked = votes.truth[members] != 1
    items, volunteer = add_judgments(
        rows.crowd, [rows.item(i) for i in members], rows.volunteer(5), label=1, ticked=ticked
    )
    longer = Judgments(
        np.append(judged.item, members),
        np.append(judged.worker, np.full(6, 5)),
        np.append(judged.label, np.full(6, 1)),
        np.append(judged.ticked, ticked),
    )
    refit = fit(votes, judgments=longer, start=result)
    online = np.array([item.probabilities for item in items])
    np.testing.assert_allclose(online, refit.item_probabilities[members], atol=0.02)
    np.testing.assert_allclose(volunteer.odds(rows.crowd), refit.judgment_odds[5], rtol=0.1)
    assert np.abs(online - result.item_probabilities[members]).max() > 0.01


def test_one_item_and_one_volunteer_are_enough_and_survive_json():
    votes = make_votes(5)
    result = fit(votes, correlation=0.2)
    rows = rows_of(result, votes)
    kept = json.loads(
        json.dumps([row.as_json() for row in (rows.crowd, rows.item(3), rows.volunteer(4))])
    )
    crowd, item, volunteer = (
        kind.from_json(row)
        for kind, row in zip((OnlineCrowd, ItemState, VolunteerState), kept, strict=True)
    )
    after = add_vote(crowd, item, volunteer, kind=0, answer=1)
    direct = add_vote(rows.crowd, rows.item(3), rows.volunteer(4), kind=0, answer=1)
    for one, two in zip(after, direct, strict=True):
        assert one.as_json() == two.as_json()


def test_the_old_rows_stay_as_they_are():
    votes = make_votes(6)
    rows = rows_of(fit(votes), votes)
    item, volunteer = rows.item(2), rows.volunteer(1)
    before = item.as_json(), volunteer.as_json()
    changed = add_vote(rows.crowd, item, volunteer, kind=0, answer=0)
    assert (item.as_json(), volunteer.as_json()) == before
    assert changed[0].as_json() != before[0]


def test_votes_of_another_fit_are_refused():
    votes = make_votes(7)
    result = fit(votes)
    with pytest.raises(InputError, match="votes must be those of the fit: 12 volunteers"):
        start_online(result, [0], [12], [0])


def test_a_grid_needs_a_judgment_of_every_member():
    votes = make_votes(8)
    rows = rows_of(fit(votes), votes)
    with pytest.raises(InputError, match="ticked must have 2 entries"):
        add_judgments(
            rows.crowd, [rows.item(0), rows.item(1)], rows.volunteer(0), label=0, ticked=[True]
        )


# Taking an answer back ----------------------------------------------------------------------
def assert_same(found, expected):
    (items, volunteer), (items_then, volunteer_then) = found, expected
    for one, then in zip([*items, volunteer], [*items_then, volunteer_then], strict=True):
        for name, value in then.as_json().items():
            np.testing.assert_allclose(one.as_json()[name], value, atol=1e-12, err_msg=name)


def a_start():
    votes = make_votes(5)
    rows = rows_of(fit(votes), votes)
    return rows.crowd, [rows.item(i) for i in range(4)], rows.volunteer(3), rows.volunteer(7)


def test_an_answer_taken_back_leaves_what_others_have_said_since():
    crowd, items, annie, edward = a_start()
    voted, annie_then = add_vote(crowd, items[0], annie, kind=0, answer=2)
    step = step_between(items[:1], annie, [voted], annie_then)
    step = Step.from_json(json.loads(json.dumps(step.as_json())))
    more, _ = add_vote(crowd, voted, edward, kind=0, answer=1)
    _, annie_later = add_vote(crowd, items[1], annie_then, kind=0, answer=0)
    (left,), annie_without = take_back([more], annie_later, step)
    alone, _ = add_vote(crowd, items[0], edward, kind=0, answer=1)
    np.testing.assert_allclose(left.probabilities, alone.probabilities, atol=1e-12)
    _, annie_alone = add_vote(crowd, items[1], annie, kind=0, answer=0)
    assert np.abs(annie_without.answers - annie_alone.answers).max() < 0.02


def test_a_vote_of_which_nobody_kept_the_step_is_guessed_back():
    crowd, items, annie, _ = a_start()
    voted, then = add_vote(crowd, items[0], annie, kind=0, answer=2)
    step = guess_vote(crowd, voted, then, kind=0, answer=2)
    assert_same(take_back([voted], then, step), (items[:1], annie))


def test_the_answer_to_a_grid_is_guessed_back():
    crowd, items, annie, _ = a_start()
    said = {"label": 1, "ticked": [True, False, False, True]}
    judged, then = add_judgments(crowd, items, annie, **said)
    assert_same(take_back(judged, then, step_between(items, annie, judged, then)), (items, annie))
    step = guess_judgments(crowd, judged, then, **said)
    assert_same(take_back(judged, then, step), (items, annie))


def test_no_count_falls_below_zero():
    crowd, items, annie, _ = a_start()
    nobody = VolunteerState(np.zeros_like(annie.answers), *np.zeros((3, 2)))
    step = guess_vote(crowd, items[0], annie, kind=0, answer=2)
    _, left = take_back([items[0]], nobody, step)
    assert left.answers.min() == 0.0
