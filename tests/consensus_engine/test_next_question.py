"""The next question is where an answer takes the most bits from the catalog per second."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skysort.consensus.merge import CellTable, VoteTable, merge
from skysort.consensus.next_question import (
    KINDS,
    QuestionSettings,
    direct_gain,
    judgment_gain,
    questions,
)
from skysort.consensus.projection import membership
from skysort.errors import InputError

CLASSES = ["fri", "frii", "bent", "mixed"]
N_CELLS, N_SUBJECTS, EMPTY = 8, 240, 7
SIZES = QuestionSettings(grid_size=9, least_in_grid=4)


def rows_of(columns, n):
    """Rows of positive numbers that sum to 1."""
    weights = arrays(float, (n, columns), elements=st.floats(0.0, 1.0))
    return weights.map(lambda w: (w + 1e-6) / (w + 1e-6).sum(axis=1, keepdims=True))


def plain_information(prior, confusion):
    """Mutual information in bits of class and answer, term by term."""
    bits = 0.0
    for c, p in enumerate(prior):
        for a in range(confusion.shape[1]):
            joint = p * confusion[c, a]
            chance = sum(prior[k] * confusion[k, a] for k in range(len(prior)))
            if joint > 0.0:
                bits += joint * np.log2(joint / (p * chance))
    return bits


def entropy(p):
    p = p[p > 0.0]
    return -(p * np.log2(p)).sum()


@settings(max_examples=50, deadline=None)
@given(rows_of(3, 4), rows_of(5, 3))
def test_gain_of_a_vote_is_mutual_information(probabilities, confusion):
    gain = direct_gain(probabilities, confusion)
    expected = [plain_information(row, confusion) for row in probabilities]
    np.testing.assert_allclose(gain, expected, atol=1e-9)
    assert (gain >= 0.0).all()
    assert (gain <= [entropy(row) + 1e-9 for row in probabilities]).all()


@settings(max_examples=30, deadline=None)
@given(rows_of(3, 4), rows_of(2, 9))
def test_gain_of_a_judgment_is_that_of_a_vote_with_two_answers(probabilities, rows):
    judgment = rows.reshape(3, 3, 2)
    gain = judgment_gain(probabilities, judgment)
    for label in range(3):
        expected = [plain_information(row, judgment[label]) for row in probabilities]
        np.testing.assert_allclose(gain[label], expected, atol=1e-9)


def test_what_is_certain_or_answered_at_random_gains_nothing():
    assert direct_gain(np.eye(3), np.full((3, 3), 0.1) + 0.7 * np.eye(3)).tolist() == [0.0] * 3
    np.testing.assert_allclose(
        direct_gain(np.full((1, 3), 1.0 / 3.0), np.full((3, 4), 0.25)), 0.0, atol=1e-15
    )


def test_a_perfect_volunteer_takes_all_entropy():
    rows = np.array([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    np.testing.assert_allclose(direct_gain(rows, np.eye(4)), [1.0, 2.0])


def test_a_judgment_of_a_label_out_of_the_question_gains_nothing():
    ticks = np.where(np.eye(3) > 0.0, 0.1, 0.7)
    judgment = np.stack([1.0 - ticks, ticks], axis=2)
    gain = judgment_gain(np.array([[0.5, 0.5, 0.0]]), judgment)[:, 0]
    assert gain[2] == pytest.approx(0.0, abs=1e-12)
    assert gain[0] == pytest.approx(gain[1])
    assert gain[0] > 0.2


def make_cells():
    """Eight prototypes with members, but for the last."""
    rng = np.random.default_rng(1)
    best = rng.integers(0, EMPTY, N_SUBJECTS)
    distance = rng.gamma(20.0, 0.05, N_SUBJECTS)
    second = (best + 1) % N_CELLS
    return CellTable(best, second, distance, distance * 1.5, N_CELLS), rng


def make_result(*, mixed=True, with_features=False):
    """Votes on six prototypes and on sixteen subjects."""
    cells, rng = make_cells()
    truth = np.where(rng.random(N_SUBJECTS) < 0.8, cells.best % 3, rng.integers(0, 3, N_SUBJECTS))
    subjects = rng.permutation(N_SUBJECTS)[:16]
    item = np.append(np.repeat(np.arange(6), 4), np.arange(6, 22))
    answer = np.append(np.repeat(np.arange(6) % 3, 4), truth[subjects])
    wrong = rng.random(len(item)) < 0.2
    answer[wrong] = rng.integers(0, 3, wrong.sum())
    classes = CLASSES if mixed else CLASSES[:3]
    votes = VoteTable(
        item=item,
        worker=rng.integers(0, 10, len(item)),
        answer=answer,
        item_cell=np.append(np.arange(6), np.full(16, -1)),
        item_subject=np.append(np.full(6, -1), subjects),
        n_workers=10,
        answers=[*classes, "unsure"],
        classes=classes,
        class_of_answer=np.append(np.arange(len(classes)), -1),
    )
    features = np.eye(3)[truth] + rng.normal(0.0, 0.3, (N_SUBJECTS, 3))
    return merge(votes, cells, features=features if with_features else None), cells


@pytest.fixture(scope="module")
def case():
    return make_result()


def even(n=N_SUBJECTS):
    return np.full((n, 3), 1.0 / 3.0)


def sure(label, n=N_SUBJECTS, p=0.99):
    rows = np.full((n, 3), (1.0 - p) / 2.0)
    rows[:, label] = p
    return rows


def believe(result, probabilities):
    return replace(result, subject_probabilities=probabilities)


def of_kind(asked, kind):
    return [question for question in asked if question.kind == kind]


def by_prototype(asked):
    return {question.cell: question.gain for question in of_kind(asked, "prototype")}


def plain_gains(result, cells):
    """What one vote on each prototype brings, member by member and answer by answer."""
    pure = [result.fit.confusion.shape[2] - 1 != k for k in range(result.fit.confusion.shape[2])]
    pure = np.array(pure) if result.cell_probabilities.shape[1] == 4 else np.ones(3, bool)
    share = membership(cells, trust=result.trust)
    choice = result.head.choice
    follow = max(1.0 if choice is None else choice.follow, 0.5) / result.head.temperature
    gains = np.zeros(cells.n_cells)
    for n in range(len(cells.best)):
        now = result.subject_probabilities[n]
        told = result.class_prior * np.exp(result.head.cell_logits[n])
        told = told / told.sum()
        for k, weight in ((cells.best[n], share.best[n]), (cells.second[n], share.second[n])):
            before, expected = result.cell_probabilities[k], 0.0
            for a in range(result.fit.crowd_confusion.shape[2]):
                chance = before @ result.fit.crowd_confusion[0, :, a]
                after = before * result.fit.crowd_confusion[0, :, a] / chance
                spread = (after - before)[pure] + (after - before)[~pure].sum() * result.class_prior
                moved = now * ((told + weight * spread) / told) ** follow
                expected += chance * entropy(moved / moved.sum())
            gains[k] += max(entropy(now) - expected, 0.0)
    return gains


@pytest.mark.parametrize("mixed", [True, False])
def test_gain_of_a_prototype_equals_a_plain_sum_over_members_and_answers(mixed):
    result, cells = make_result(mixed=mixed)
    assert len(result.subject_classes) == 3
    found = by_prototype(questions(result, cells))
    expected = plain_gains(result, cells) / 8.0
    np.testing.assert_allclose(
        [found[k] for k in range(EMPTY)], expected[:EMPTY], rtol=1e-6, atol=1e-12
    )
    assert max(found, key=found.get) == 6  # the only one with members and without votes


def test_best_is_first(case):
    asked = questions(*case)
    assert {question.kind for question in asked} == set(KINDS)
    assert all(a.gain >= b.gain for a, b in pairwise(asked))
    assert all(np.isfinite(question.gain) for question in asked)


def test_gain_is_bits_per_second(case):
    result, cells = case
    asked = questions(result, cells, settings=SIZES)
    confusion = result.fit.crowd_confusion[1, :3]
    judgment = result.fit.crowd_judgment[:3, :3]
    for question in of_kind(asked, "subject"):
        row = result.subject_probabilities[question.subjects[0]]
        assert question.gain == pytest.approx(plain_information(row, confusion) / 5.0)
    for question in of_kind(asked, "grid"):
        bits = [
            plain_information(result.subject_probabilities[n], judgment[question.label])
            for n in question.subjects
        ]
        assert question.gain == pytest.approx(sum(bits) / 16.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_slower_kind_gains_less_per_second(case, kind):
    usual = {"prototype": 8.0, "grid": 16.0, "subject": 5.0}
    slow = {**usual, kind: 3.0 * usual[kind]}
    before = questions(*case, settings=QuestionSettings(seconds=usual))
    after = questions(*case, settings=QuestionSettings(seconds=slow))
    for each in KINDS:
        gains = [question.gain for question in of_kind(before, each)]
        expected = np.array(gains) / (3.0 if each == kind else 1.0)
        np.testing.assert_allclose([q.gain for q in of_kind(after, each)], expected)


def test_kinds_point_to_what_they_show(case):
    for question in questions(*case):
        if question.kind == "prototype":
            assert (question.label, len(question.subjects)) == (-1, 0)
            assert 0 <= question.cell < N_CELLS
        elif question.kind == "grid":
            assert 0 <= question.label < 3
        else:
            assert (question.cell, question.label, len(question.subjects)) == (-1, -1, 1)


@pytest.mark.parametrize(("size", "least", "per_prototype"), [(9, 4, 3), (12, 2, 1), (5, 5, 2)])
def test_grids_hold_members_of_one_prototype_and_none_twice(case, size, least, per_prototype):
    result, cells = case
    rng = np.random.default_rng(3)
    result = believe(result, rng.dirichlet(np.ones(3), N_SUBJECTS))
    chosen = QuestionSettings(
        grid_size=size, least_in_grid=least, grids_per_prototype=per_prototype
    )
    grids = of_kind(questions(result, cells, settings=chosen), "grid")
    assert len(grids) > 5
    shown = {}
    for grid in grids:
        assert (cells.best[grid.subjects] == grid.cell).all()
        assert least <= len(grid.subjects) <= size
        shown.setdefault((grid.cell, grid.label), []).append(grid.subjects)
    for subjects in shown.values():
        together = np.concatenate(subjects)
        assert len(np.unique(together)) == len(together)
        assert len(subjects) <= per_prototype


@pytest.mark.parametrize("purity", [0.3, 0.5, 0.8])
def test_labels_are_expected_to_fit_enough_members(case, purity):
    result, cells = case
    probabilities = np.random.default_rng(4).dirichlet(np.ones(3), N_SUBJECTS)
    chosen = QuestionSettings(least_purity=purity)
    asked = questions(believe(result, probabilities), cells, settings=chosen)
    means = [probabilities[q.subjects, q.label].mean() for q in of_kind(asked, "grid")]
    assert means
    assert min(means) >= purity - 1e-9


def test_a_grid_of_what_is_nearly_settled_is_not_as_good_as_one_of_the_doubtful(case):
    result, cells = case
    probabilities = sure(0, p=0.95)
    probabilities[cells.best == 2] = [0.6, 0.2, 0.2]
    grids = of_kind(questions(believe(result, probabilities), cells), "grid")
    assert (grids[0].cell, grids[0].label) == (2, 0)
    assert grids[-1].cell != 2


def test_closed_subjects_are_never_shown(case):
    result, cells = case
    closed = np.random.default_rng(5).random(N_SUBJECTS) < 0.4
    asked = questions(believe(result, even()), cells, is_closed=closed)
    shown = np.concatenate([question.subjects for question in asked])
    assert len(of_kind(asked, "grid")) == 0  # nothing is half as likely as it is doubtful
    assert set(shown) == set(np.flatnonzero(~closed))
    halves = np.tile([0.5, 0.5, 0.0], (N_SUBJECTS, 1))
    asked = questions(believe(result, halves), cells, is_closed=closed)
    assert of_kind(asked, "grid")
    assert not closed[np.concatenate([question.subjects for question in asked])].any()


def test_sure_subjects_are_never_shown(case):
    result, cells = case
    probabilities = np.where(
        np.arange(N_SUBJECTS)[:, None] % 2 == 0, sure(1, p=0.985), sure(1, p=0.9)
    )
    shown = np.concatenate([q.subjects for q in questions(believe(result, probabilities), cells)])
    assert set(shown) == set(range(1, N_SUBJECTS, 2))
    eager = questions(believe(result, probabilities), cells, settings=QuestionSettings(sure=0.999))
    assert len(np.unique(np.concatenate([q.subjects for q in eager]))) == N_SUBJECTS


def test_where_all_is_settled_only_prototypes_are_left_and_bring_next_to_nothing(case):
    result, cells = case
    asked = questions(believe(result, sure(0, p=1.0 - 1e-12)), cells)
    assert {question.kind for question in asked} == {"prototype"}
    assert max(question.gain for question in asked) < 1e-6


def test_prototypes_without_members_are_not_asked_about(case):
    result, cells = case
    assert set(by_prototype(questions(result, cells))) == set(range(EMPTY))


def test_many_doubtful_members_are_worth_more_than_few(case):
    result, _ = case
    size = np.array([10, 120, 40, 15, 35, 8, 12, 0])  # prototype 1 has most, 5 the fewest
    best = np.repeat(np.arange(N_CELLS), size)
    cells = CellTable(
        best, (best + 1) % N_CELLS, np.ones(N_SUBJECTS), np.full(N_SUBJECTS, 1e9), N_CELLS
    )
    head = replace(result.head, cell_logits=np.zeros((N_SUBJECTS, 3)))
    flat = replace(
        result,
        subject_probabilities=even(),
        class_prior=np.full(3, 1.0 / 3.0),
        cell_probabilities=np.tile([0.3, 0.3, 0.3, 0.1], (N_CELLS, 1)),
        head=head,
    )
    gain = by_prototype(questions(flat, cells))
    np.testing.assert_allclose([gain[k] / gain[1] for k in range(7)], size[:7] / 120, rtol=1e-9)


def test_a_prototype_of_known_class_is_worth_less_than_one_without_votes(case):
    result, cells = case
    known = np.tile([0.32, 0.32, 0.32, 0.04], (N_CELLS, 1))
    known[:3] = [0.997, 0.001, 0.001, 0.001]
    alike = replace(
        result,
        subject_probabilities=even(),
        cell_probabilities=known,
        head=replace(result.head, cell_logits=np.zeros((N_SUBJECTS, 3))),
    )
    gain = by_prototype(questions(alike, cells))
    assert max(gain[k] for k in (0, 1)) < 0.2 * min(gain[k] for k in (4, 5))


def test_head_makes_every_label_worth_more_and_doubt_alone_less():
    result, cells = make_result(with_features=True)
    assert result.head.n_features == 3
    alone = replace(result, head=replace(result.head, n_features=0))
    with_head, without = (of_kind(questions(r, cells), "subject") for r in (result, alone))
    before = {int(q.subjects[0]): q.gain for q in without}
    more = {int(q.subjects[0]): q.gain / before[int(q.subjects[0])] for q in with_head}
    assert min(more.values()) > 1.0
    entropies = {n: entropy(result.subject_probabilities[n]) for n in more}
    assert more[min(more, key=entropies.get)] > more[max(more, key=entropies.get)]


def test_lessons_are_worth_less_the_more_there_are():
    result, cells = make_result(with_features=True)
    own = np.zeros((N_SUBJECTS, 3))
    worth = []
    for n in (0, 20, 200):
        own[:n, 0] = 6.0
        asked = questions(replace(result, own_log_likelihood=own), cells)
        worth.append(sum(question.gain for question in of_kind(asked, "subject")))
    assert worth[0] > worth[1] > worth[2]


def test_single_subjects_are_drawn_in_proportion_to_their_gain(case):
    result, cells = case
    probabilities = sure(0, p=0.97)
    probabilities[:40] = 1.0 / 3.0
    doubtful = believe(result, probabilities)
    chosen = QuestionSettings(n_subjects=1)
    drawn = [
        int(
            of_kind(questions(doubtful, cells, settings=chosen, seed=seed), "subject")[0].subjects[
                0
            ]
        )
        for seed in range(200)
    ]
    gain = direct_gain(probabilities, result.fit.crowd_confusion[1, :3])
    expected = gain[:40].sum() / gain.sum()
    # Three standard deviations of 200 draws.
    assert np.mean(np.array(drawn) < 40) == pytest.approx(expected, abs=0.11)
    assert len(set(drawn)) > 30


def test_draws_follow_their_seed(case):
    chosen = QuestionSettings(n_subjects=20)
    first, again, other = (
        [
            int(q.subjects[0])
            for q in of_kind(questions(*case, settings=chosen, seed=seed), "subject")
        ]
        for seed in (1, 1, 2)
    )
    assert len(set(first)) == 20
    assert first == again
    assert set(first) != set(other)


def test_nothing_is_asked_of_an_empty_catalog():
    none = np.empty(0, dtype=int)
    cells = CellTable(none, none, np.empty(0), np.empty(0), 2)
    votes = VoteTable(none, none, none, none, none, 0, CLASSES[:3], CLASSES[:3], np.arange(3))
    assert questions(merge(votes, cells), cells) == []


def test_without_votes_there_is_something_to_ask():
    none = np.empty(0, dtype=int)
    cells, _ = make_cells()
    votes = VoteTable(none, none, none, none, none, 0, CLASSES, CLASSES, np.arange(4))
    asked = questions(merge(votes, cells), cells)
    assert {question.kind for question in asked} >= {"prototype", "subject"}
    assert asked[0].kind == "prototype"


def test_refuses_a_list_of_the_closed_that_does_not_fit(case):
    with pytest.raises(InputError, match=r"is_closed must have 240 entries, got \(3,\)"):
        questions(*case, is_closed=np.zeros(3, dtype=bool))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": {"prototype": 8.0, "grid": 16.0}}, "a positive time for 'subject'"),
        ({"seconds": {"prototype": 0.0, "grid": 1.0, "subject": 1.0}}, "time for 'prototype'"),
        ({"least_in_grid": 1}, "least_in_grid must lie between 2 and grid_size = 12, got 1"),
        ({"grid_size": 9, "least_in_grid": 10}, "between 2 and grid_size = 9, got 10"),
    ],
)
def test_refuses_settings_that_contradict_themselves(options, message):
    with pytest.raises(InputError, match=message):
        QuestionSettings(**options)
