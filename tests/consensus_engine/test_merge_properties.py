"""What must hold of every merge, whoever the volunteers and whatever the names."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.consensus.evidence import SOURCES
from skysort.consensus.head import HeadSettings
from skysort.consensus.merge import CellTable, GridTable, MergeSettings, VoteTable, merge

CLASSES = ["fri", "frii", "bent", "mixed"]
N_CELLS, N_SUBJECTS, N_WORKERS = 10, 200, 12
GRID, DIRECT = SOURCES.index("grid"), SOURCES.index("direct")
#: A fit that has come to rest, so that the order of sums is all that differs.
SETTLED = MergeSettings(tolerance=1e-9, max_iterations=1000)
FEW_CHOICES = replace(SETTLED, head=HeadSettings(strengths=(0.1, 1.0), temperatures=(1.0, 1.25)))


@dataclass(frozen=True)
class Case:
    votes: VoteTable
    cells: CellTable
    features: np.ndarray
    truth: np.ndarray

    def merge(self, *, with_features=True, settings=FEW_CHOICES):
        return merge(
            self.votes,
            self.cells,
            settings,
            features=self.features if with_features else None,
        )

    def with_votes(self, **changes):
        return replace(self, votes=replace(self.votes, **changes))


def make_case(seed=0, *, skill=0.8):
    """Votes on prototypes, on 60 subjects (the last 15 the audit's), judgments in 12 grids."""
    rng = np.random.default_rng(seed)
    best = rng.integers(0, N_CELLS, N_SUBJECTS)
    truth = np.where(rng.random(N_SUBJECTS) < 0.8, best % 3, rng.integers(0, 3, N_SUBJECTS))
    distance = rng.gamma(20.0, 0.05, N_SUBJECTS)
    cells = CellTable(best, (best + 1) % N_CELLS, distance, distance * 1.6, N_CELLS)
    subjects = rng.permutation(N_SUBJECTS)[:60]
    item = np.append(np.repeat(np.arange(N_CELLS), 4), N_CELLS + np.repeat(np.arange(60), 2))
    shown = np.append(np.arange(N_CELLS) % 3, truth[subjects])
    answer = np.where(rng.random(len(item)) < skill, shown[item], rng.integers(0, 5, len(item)))
    votes = VoteTable(
        item=item,
        worker=rng.integers(0, N_WORKERS, len(item)),
        answer=answer,
        item_cell=np.append(np.arange(N_CELLS), np.full(60, -1)),
        item_subject=np.append(np.full(N_CELLS, -1), subjects),
        n_workers=N_WORKERS,
        answers=[*CLASSES, "unsure"],
        classes=CLASSES,
        class_of_answer=np.array([0, 1, 2, 3, -1]),
        grids=make_grids(rng, best, truth),
        audit=subjects[45:],
        known={int(n): int(truth[n]) for n in subjects[:5]},
    )
    features = np.eye(3)[truth] + rng.normal(0.0, 0.4, (N_SUBJECTS, 3))
    return Case(votes, cells, features, truth)


def make_grids(rng, best, truth):
    """Nine members of one prototype each, named by its class."""
    chosen = rng.integers(0, N_CELLS, 12)
    members = [rng.permutation(np.flatnonzero(best == cell))[:9] for cell in chosen]
    subject = np.concatenate(members)
    sizes = [len(each) for each in members]
    label = np.repeat(chosen % 3, sizes)
    is_wrong = truth[subject] != label
    ticked = rng.random(len(subject)) < np.where(is_wrong, 0.8, 0.05)
    return GridTable(subject, np.repeat(rng.integers(0, N_WORKERS, 12), sizes), label, ticked)


def added(votes, item, worker, answer):
    """Votes of one volunteer more, or more of the same."""
    item = np.asarray(item)
    return replace(
        votes,
        item=np.append(votes.item, item),
        worker=np.append(votes.worker, np.full(len(item), worker)),
        answer=np.append(votes.answer, answer),
        n_workers=max(votes.n_workers, worker + 1),
    )


def judged(votes, subject, worker, label, ticked):
    grids = votes.grids
    more = len(subject)
    return replace(
        votes,
        grids=GridTable(
            np.append(grids.subject, subject),
            np.append(grids.worker, np.full(more, worker)),
            np.append(grids.label, np.full(more, label)),
            np.append(grids.ticked, np.full(more, ticked)),
        ),
        n_workers=max(votes.n_workers, worker + 1),
    )


def assert_same(found, expected, atol=1e-6):
    for name in ("subject_probabilities", "machine_probabilities", "shares", "class_prior"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=atol)
    np.testing.assert_allclose(found.cell_probabilities, expected.cell_probabilities, atol=atol)
    assert found.trust == pytest.approx(expected.trust, abs=1e-9)


@pytest.fixture(scope="module")
def case():
    return make_case()


@pytest.fixture(scope="module")
def result(case):
    return case.merge()


@settings(max_examples=3, deadline=None)
@given(order=st.permutations(range(N_WORKERS)))
def test_names_of_volunteers_change_nothing(case, result, order):
    order = np.array(order)
    grids = replace(case.votes.grids, worker=order[case.votes.grids.worker])
    found = case.with_votes(worker=order[case.votes.worker], grids=grids).merge()
    assert_same(found, result)
    np.testing.assert_allclose(found.worker_agreement[order], result.worker_agreement, atol=1e-6)
    np.testing.assert_array_equal(found.n_workers, result.n_workers)


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_order_of_items_votes_and_judgments_changes_nothing(case, result, seed):
    votes, rng = case.votes, np.random.default_rng(seed)
    items = rng.permutation(votes.n_items)
    order, judged_order = rng.permutation(len(votes.item)), rng.permutation(len(votes.grids.label))
    grids = GridTable(*(values[judged_order] for values in vars(votes.grids).values()))
    found = case.with_votes(
        item=np.argsort(items)[votes.item][order],
        worker=votes.worker[order],
        answer=votes.answer[order],
        item_cell=votes.item_cell[items],
        item_subject=votes.item_subject[items],
        grids=grids,
    ).merge()
    assert_same(found, result)
    np.testing.assert_allclose(
        found.item_probabilities, result.item_probabilities[items], atol=1e-6
    )


def turned_subjects(case, order):
    place, votes, cells = np.argsort(order), case.votes, case.cells
    return Case(
        replace(
            votes,
            item_subject=np.where(votes.item_subject >= 0, place[votes.item_subject], -1),
            grids=replace(votes.grids, subject=place[votes.grids.subject]),
            audit=place[votes.audit],
            known={int(place[n]): k for n, k in votes.known.items()},
        ),
        CellTable(
            cells.best[order],
            cells.second[order],
            cells.distance[order],
            cells.second_distance[order],
            N_CELLS,
        ),
        case.features[order],
        case.truth[order],
    )


@settings(max_examples=3, deadline=None)
@given(order=st.permutations(range(N_SUBJECTS)))
def test_order_of_subjects_changes_nothing(order):
    # Without the head, whose cross-fitting divides the subjects by their order.
    case = make_case(1)
    order = np.array(order)
    headless = replace(SETTLED, head=HeadSettings(n_folds=1000))
    expected, found = (
        each.merge(settings=headless) for each in (case, turned_subjects(case, order))
    )
    np.testing.assert_allclose(
        found.subject_probabilities, expected.subject_probabilities[order], atol=1e-6
    )
    np.testing.assert_array_equal(found.label, expected.label[order])
    np.testing.assert_array_equal(found.n_votes_grid, expected.n_votes_grid[order])


@pytest.mark.parametrize("seed", range(2))
def test_order_of_subjects_changes_little_through_cross_fitting(case, result, seed):
    order = np.random.default_rng(seed).permutation(N_SUBJECTS)
    found = turned_subjects(case, order).merge()
    apart = np.abs(found.subject_probabilities - result.subject_probabilities[order])
    assert apart.mean() < 0.03
    assert np.mean(found.label == result.label[order]) > 0.95


@pytest.mark.parametrize("order", [[1, 2, 0, 3], [3, 0, 1, 2], [2, 3, 1, 0]])
def test_order_of_classes_changes_nothing(case, result, order):
    votes, place = case.votes, np.argsort(order)
    found = case.with_votes(
        answer=np.append(place, 4)[votes.answer],
        answers=[votes.answers[k] for k in [*order, 4]],
        classes=[CLASSES[k] for k in order],
        grids=replace(votes.grids, label=place[votes.grids.label]),
        known={n: int(place[k]) for n, k in votes.known.items()},
    ).merge()
    columns = [result.subject_classes.index(name) for name in found.subject_classes]
    np.testing.assert_allclose(
        found.subject_probabilities, result.subject_probabilities[:, columns], atol=1e-6
    )
    np.testing.assert_allclose(
        found.cell_probabilities, result.cell_probabilities[:, order], atol=1e-6
    )
    assert found.trust == pytest.approx(result.trust, abs=1e-9)


def test_numbers_of_prototypes_change_nothing(case, result):
    votes, cells = case.votes, case.cells
    place = np.random.default_rng(3).permutation(N_CELLS)
    found = replace(
        case.with_votes(item_cell=np.where(votes.item_cell >= 0, place[votes.item_cell], -1)),
        cells=replace(cells, best=place[cells.best], second=place[cells.second]),
    ).merge()
    np.testing.assert_allclose(found.subject_probabilities, result.subject_probabilities, atol=1e-6)
    np.testing.assert_allclose(
        found.cell_probabilities[place], result.cell_probabilities, atol=1e-6
    )


def test_votes_on_two_items_of_a_subject_count_as_on_one(case, result):
    votes = case.votes
    item = votes.item.copy()
    again = np.flatnonzero(np.diff(item, prepend=-1) == 0)
    again = again[votes.item_subject[item[again]] >= 0]  # the second vote on each subject
    item[again] = votes.n_items + np.arange(len(again))
    found = case.with_votes(
        item=item,
        item_cell=np.append(votes.item_cell, np.full(len(again), -1)),
        item_subject=np.append(votes.item_subject, votes.item_subject[votes.item[again]]),
    ).merge()
    assert_same(found, result)


@pytest.mark.parametrize("with_features", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_probabilities_sum_to_one(seed, with_features):
    found = make_case(seed).merge(with_features=with_features)
    for name in ("subject_probabilities", "machine_probabilities", "item_probabilities", "shares"):
        values = getattr(found, name)
        np.testing.assert_allclose(values.sum(axis=1), 1.0, err_msg=name)
        assert (values >= 0.0).all()
    np.testing.assert_allclose(found.cell_probabilities.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.label, found.subject_probabilities.argmax(axis=1))


@pytest.mark.parametrize("with_features", [True, False])
def test_agreeing_votes_never_lower_the_winner(case, with_features):
    votes = case.votes
    item = N_CELLS + 20
    subject = votes.item_subject[item]
    label, chance = None, []
    for n in range(4):
        found = case.merge(with_features=with_features)
        label = found.label[subject] if label is None else label
        chance.append(found.subject_probabilities[subject, label])
        case = replace(case, votes=added(case.votes, [item], N_WORKERS + n, label))
    assert np.diff(chance).min() > -1e-3  # the fit as a whole moves a little with every vote
    assert chance[-1] > 0.97


@pytest.mark.parametrize("with_features", [True, False])
def test_disagreeing_votes_turn_a_label(case, with_features):
    item = N_CELLS + 21
    subject = case.votes.item_subject[item]
    label = case.merge(with_features=with_features).label[subject]
    other = (label + 1) % 3
    for n in range(6):
        case = replace(case, votes=added(case.votes, [item], N_WORKERS + n, other))
    found = case.merge(with_features=with_features)
    assert found.label[subject] == other
    assert found.shares[subject, DIRECT] > 0.5


def test_a_volunteer_who_answers_at_random_changes_nothing_in_the_limit():
    case = make_case()
    gold = case.votes.item_subject[N_CELLS : N_CELLS + 30]
    case = case.with_votes(known={int(n): int(case.truth[n]) for n in gold})
    rest = np.append(np.arange(N_CELLS), np.arange(N_CELLS + 30, case.votes.n_items))
    said = np.random.default_rng(5).integers(0, 5, len(rest))
    moved = []
    for repeats in (1, 32):
        item = np.repeat(N_CELLS + np.arange(30), 5 * repeats)
        shown = added(case.votes, item, N_WORKERS, np.tile(np.arange(5), 30 * repeats))
        before, after = (
            merge(votes, case.cells, SETTLED)
            for votes in (shown, added(shown, rest, N_WORKERS, said))
        )
        moved.append(np.abs(after.subject_probabilities - before.subject_probabilities).mean())
    assert moved[0] > 3.0 * moved[1]
    assert moved[1] < 0.005
    assert after.worker_agreement[N_WORKERS] < after.worker_agreement[:N_WORKERS].min() - 0.2


@pytest.mark.parametrize("with_features", [True, False])
def test_judgments_move_members_as_they_should(case, with_features):
    label = 1
    before = case.merge(with_features=with_features)
    is_untouched = before.n_votes_direct + before.n_votes_grid == 0
    untouched = np.flatnonzero(is_untouched & (before.label == label))[:6]
    passed, ticked = untouched[:3], untouched[3:]
    votes = case.votes
    for n in range(2):
        votes = judged(votes, passed, n, label, ticked=False)
        votes = judged(votes, ticked, n, label, ticked=True)
    after = replace(case, votes=votes).merge(with_features=with_features)
    change = after.subject_probabilities[:, label] - before.subject_probabilities[:, label]
    assert (change[passed] > 0.0).all()
    assert (change[ticked] < 0.0).all()
    assert (after.n_votes_grid[untouched] == 2).all()
    assert (after.label[passed] == label).all()
    assert after.shares[passed, GRID].min() > 0.1


def test_a_tick_says_no_more_of_one_other_class_than_of_another(case):
    before = case.merge(with_features=False)
    n = np.flatnonzero(before.n_votes_direct + before.n_votes_grid == 0)[0]
    after = replace(case, votes=judged(case.votes, [n], 3, 0, ticked=True)).merge(
        with_features=False
    )
    said = after.own_log_likelihood[n]
    assert said[0] < min(said[1], said[2]) - 1.0
    assert said[1] == pytest.approx(said[2], abs=0.3)  # the crowd's table knows them a little apart


@pytest.mark.parametrize("with_features", [True, False])
def test_known_subjects_are_certain_whatever_is_said(case, with_features):
    n = int(case.votes.item_subject[N_CELLS])
    assert n in case.votes.known
    wrong = (case.truth[n] + 1) % 3
    votes = added(case.votes, [N_CELLS] * 8, 2, np.full(8, wrong))
    found = replace(case, votes=votes).merge(with_features=with_features)
    for subject, truth in votes.known.items():
        assert found.subject_probabilities[subject, truth] > 1.0 - 1e-9
        assert found.label[subject] == truth
        assert found.entropy_bits[subject] < 1e-6
        assert not found.is_unknown[subject]


def test_known_subjects_need_no_votes():
    case = make_case(2)
    silent = np.setdiff1d(np.arange(N_SUBJECTS), case.votes.item_subject)[:10]
    known = {int(n): int(case.truth[n]) for n in silent}
    found = case.with_votes(known=known).merge()
    assert (found.label[silent] == case.truth[silent]).all()
    assert found.subject_probabilities[silent].max(axis=1).min() > 1.0 - 1e-9


def test_known_subjects_tell_who_errs(case):
    liar, honest = 3, 4
    subjects = case.votes.item_subject[N_CELLS : N_CELLS + 30]
    known = {int(n): int(case.truth[n]) for n in subjects}
    items = N_CELLS + np.arange(30)
    votes = added(case.votes, items, liar, (case.truth[subjects] + 1) % 3)
    votes = added(votes, items, honest, case.truth[subjects])
    found = merge(replace(votes, known=known), case.cells, SETTLED)
    assert found.worker_agreement[liar] < found.worker_agreement[honest] - 0.2


def other_audit(case, *, drop):
    """Take away all that was said of the audit sample, or say something else."""
    votes, rng = case.votes, np.random.default_rng(7)
    of_audit = np.isin(votes.item_subject[votes.item], votes.audit)
    grids = votes.grids
    in_audit = np.isin(grids.subject, votes.audit)
    if drop:
        return case.with_votes(
            item=votes.item[~of_audit],
            worker=votes.worker[~of_audit],
            answer=votes.answer[~of_audit],
            grids=GridTable(*(values[~in_audit] for values in vars(grids).values())),
        )
    return case.with_votes(
        answer=np.where(of_audit, rng.integers(0, 5, len(of_audit)), votes.answer),
        grids=replace(grids, ticked=grids.ticked ^ in_audit),
    )


@pytest.mark.parametrize("with_features", [True, False])
@pytest.mark.parametrize("drop", [True, False])
def test_audit_subjects_teach_nothing(case, drop, with_features):
    assert np.isin(case.votes.grids.subject, case.votes.audit).any()
    expected = case.merge(with_features=with_features)
    found = other_audit(case, drop=drop).merge(with_features=with_features)
    for name in ("machine_probabilities", "cell_probabilities", "class_prior", "trust"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-9)
    for name in ("confusion", "crowd_confusion", "crowd_judgment", "judgment_odds", "class_prior"):
        values = [getattr(each.fit, name) for each in (found, expected)]
        np.testing.assert_allclose(*values, atol=1e-9, err_msg=name)
    assert found.head.choice == expected.head.choice
    others = np.setdiff1d(np.arange(N_SUBJECTS), case.votes.audit)
    np.testing.assert_allclose(
        found.subject_probabilities[others], expected.subject_probabilities[others], atol=1e-9
    )
    moved = np.abs(found.subject_probabilities - expected.subject_probabilities)[case.votes.audit]
    assert moved.max() > 0.05


def test_a_known_subject_of_the_audit_teaches_nothing(case):
    n = int(case.votes.audit[0])
    expected = case.merge()
    found = case.with_votes(known={**case.votes.known, n: int(case.truth[n])}).merge()
    np.testing.assert_allclose(
        found.machine_probabilities, expected.machine_probabilities, atol=1e-9
    )
    assert found.label[n] == case.truth[n]


def test_features_without_a_single_vote_on_subjects_change_nothing(case):
    on_cells = case.votes.item < N_CELLS
    bare = case.with_votes(
        item=case.votes.item[on_cells],
        worker=case.votes.worker[on_cells],
        answer=case.votes.answer[on_cells],
        item_cell=np.arange(N_CELLS),
        item_subject=np.full(N_CELLS, -1),
        grids=GridTable.empty(),
        audit=None,
        known={},
    )
    assert_same(bare.merge(), bare.merge(with_features=False), atol=1e-12)


def test_informative_features_help_those_nobody_looked_at():
    gains = []
    for seed in range(3):
        case = make_case(seed)
        both, alone = case.merge(), case.merge(with_features=False)
        silent = both.n_votes_direct + both.n_votes_grid == 0
        gains.append(
            np.mean(both.label[silent] == case.truth[silent])
            - np.mean(alone.label[silent] == case.truth[silent])
        )
    assert np.mean(gains) > 0.03
