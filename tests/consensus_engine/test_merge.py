"""The door: votes and places in, one class distribution for every subject out."""

from dataclasses import fields, replace

import numpy as np
import pytest

from skysort.consensus.accuracy import score
from skysort.consensus.evidence import SOURCES
from skysort.consensus.merge import CellTable, MergeSettings, VoteTable, merge
from skysort.consensus.simulation import simulate_crowd
from skysort.errors import InputError

CLASSES = ["compact", "fri", "frii", "bent"]
ANSWERS = [*CLASSES, "mixed", "unsure"]
PRIOR, PROTOTYPE, HEAD, GRID, DIRECT = range(len(SOURCES))
N_CELLS, N_SUBJECTS, N_AUDIT, N_OUTLIERS = 36, 4000, 150, 100


def make_map(rng, purity):
    """A map whose prototypes hold one class each but for some members of any other."""
    cell_class = rng.integers(0, 4, N_CELLS)
    best = rng.integers(0, N_CELLS, N_SUBJECTS)
    truth = np.where(
        rng.random(N_SUBJECTS) < purity, cell_class[best], rng.integers(0, 4, N_SUBJECTS)
    )
    distance = rng.gamma(20.0, 0.05, N_SUBJECTS)
    distance[:N_OUTLIERS] *= 4.0
    truth[:N_OUTLIERS] = rng.integers(0, 4, N_OUTLIERS)
    second = (best + 1) % N_CELLS
    return CellTable(best, second, distance, distance * 1.6, N_CELLS), truth


def make_votes(rng, cells, truth, votes_per_item):
    """Votes on all prototypes, on the outliers and on an audit sample, by a simulated crowd."""
    crowd = simulate_crowd(150, CLASSES, seed=11, skill=0.8)
    audit = rng.permutation(np.arange(N_OUTLIERS, N_SUBJECTS))[:N_AUDIT]
    subjects = np.concatenate([np.arange(N_OUTLIERS), audit])
    n_items = N_CELLS + len(subjects)
    item = np.repeat(np.arange(n_items), votes_per_item)
    worker = np.concatenate([rng.permutation(150)[:votes_per_item] for _ in range(n_items)])
    counts = np.zeros((N_CELLS, 4))
    np.add.at(counts, (cells.best, truth), 1.0)
    shares = counts / counts.sum(axis=1, keepdims=True)
    on_cell = item < N_CELLS
    answer = np.empty(len(item), dtype=int)
    answer[on_cell] = crowd.answer_group(worker[on_cell], shares[item[on_cell]], rng)
    shown = subjects[item[~on_cell] - N_CELLS]
    answer[~on_cell] = crowd.answer(worker[~on_cell], truth[shown], rng)
    return VoteTable(
        item=item,
        worker=worker,
        answer=answer,
        item_cell=np.append(np.arange(N_CELLS), np.full(len(subjects), -1)),
        item_subject=np.append(np.full(N_CELLS, -1), subjects),
        n_workers=150,
        answers=ANSWERS,
        classes=[*CLASSES, "mixed"],
        class_of_answer=np.array([0, 1, 2, 3, 4, -1]),
        audit=audit,
    )


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(1)
    cells, truth = make_map(rng, purity=0.85)
    votes = make_votes(rng, cells, truth, votes_per_item=7)
    return votes, cells, truth, merge(votes, cells)


def test_labels_are_about_as_good_as_the_map_allows(case):
    _, _, truth, result = case
    rest = slice(N_OUTLIERS, None)
    found = score(result.machine_probabilities[rest], truth[rest])
    assert found.accuracy.value > 0.82  # members are of their prototype's class with 0.85 + 0.15/4
    assert found.calibration_error < 0.1


def test_votes_on_outliers_settle_them(case):
    _, _, truth, result = case
    outliers = slice(0, N_OUTLIERS)
    before = score(result.machine_probabilities[outliers], truth[outliers])
    after = score(result.subject_probabilities[outliers], truth[outliers])
    assert after.accuracy.value > 0.9 > 0.6 > before.accuracy.value
    assert result.shares[outliers, DIRECT].mean() > 0.7
    assert result.shares[N_OUTLIERS:, PRIOR].mean() < 0.3


def test_every_row_has_probabilities_and_weights_that_sum_to_one(case):
    _, _, _, result = case
    np.testing.assert_allclose(result.subject_probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(result.machine_probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(result.item_probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(result.shares.sum(axis=1), 1.0)
    assert result.subject_classes == CLASSES
    np.testing.assert_array_equal(result.label, result.subject_probabilities.argmax(axis=1))


def test_entropy_is_in_bits(case):
    _, _, _, result = case
    p = result.subject_probabilities
    np.testing.assert_allclose(result.entropy_bits, -(p * np.log2(p)).sum(axis=1), atol=1e-9)
    assert result.entropy_bits.max() <= 2.0


def test_subject_items_are_never_mixed(case):
    votes, _, _, result = case
    assert (result.item_probabilities[votes.item_subject >= 0, 4] == 0.0).all()


def test_counts_of_votes_and_volunteers_equal_a_plain_count(case):
    votes, cells, _, result = case
    for subject in [0, 5, *votes.audit[:5], 3999]:
        on_cell = votes.item_cell[votes.item] == cells.best[subject]
        on_subject = votes.item_subject[votes.item] == subject
        assert result.n_votes_prototype[subject] == on_cell.sum()
        assert result.n_votes_direct[subject] == on_subject.sum()
        assert result.n_workers[subject] == len(set(votes.worker[on_cell | on_subject]))


def test_audit_votes_teach_nothing(case):
    votes, cells, _, result = case
    kept = ~np.isin(votes.item_subject[votes.item], votes.audit)
    without = merge(
        replace(votes, item=votes.item[kept], worker=votes.worker[kept], answer=votes.answer[kept]),
        cells,
    )
    np.testing.assert_allclose(without.fit.confusion, result.fit.confusion)
    np.testing.assert_allclose(without.machine_probabilities, result.machine_probabilities)
    assert without.trust == result.trust


def test_audit_items_judge_the_projection_about_as_the_truth_does(case):
    votes, _, truth, result = case
    judged = result.own_log_likelihood[votes.audit].argmax(axis=1)
    label = result.machine_probabilities[votes.audit].argmax(axis=1)
    assert np.mean(label == judged) == pytest.approx(np.mean(label == truth[votes.audit]), abs=0.06)


def test_names_of_volunteers_change_nothing(case):
    votes, cells, _, result = case
    new = np.random.default_rng(2).permutation(150)
    renamed = merge(replace(votes, worker=new[votes.worker]), cells)
    np.testing.assert_allclose(
        renamed.subject_probabilities, result.subject_probabilities, atol=1e-6
    )
    np.testing.assert_allclose(renamed.worker_agreement[new], result.worker_agreement, atol=1e-6)


def test_agreement_tells_the_skilled_from_the_spammers(case):
    _, _, _, result = case
    crowd = simulate_crowd(150, CLASSES, seed=11, skill=0.8)
    agreement = result.worker_agreement
    assert agreement[crowd.is_spammer].mean() < agreement[~crowd.is_spammer].mean() - 0.01


def test_purer_maps_are_trusted_more():
    trusts = []
    for purity in (0.6, 0.95):
        rng = np.random.default_rng(3)
        cells, truth = make_map(rng, purity)
        votes = make_votes(rng, cells, truth, votes_per_item=7)
        trusts.append(merge(replace(votes, audit=None), cells).trust)
    assert trusts[0] < trusts[1] - 0.1


def test_prototypes_of_no_single_class_are_called_mixed():
    rng = np.random.default_rng(4)
    cells, truth = make_map(rng, purity=0.1)
    votes = make_votes(rng, cells, truth, votes_per_item=7)
    result = merge(votes, cells)
    assert np.mean(result.item_probabilities[:N_CELLS].argmax(axis=1) == 4) > 0.8
    assert result.shares[N_OUTLIERS:, PRIOR].mean() > 0.5


def test_without_votes_every_row_is_the_even_prior():
    cells, _ = make_map(np.random.default_rng(5), purity=0.8)
    none = np.array([], dtype=int)
    votes = VoteTable(none, none, none, none, none, 0, ANSWERS[:4], CLASSES, np.arange(4))
    result = merge(votes, cells)
    np.testing.assert_allclose(result.subject_probabilities, 0.25)
    np.testing.assert_array_equal(result.shares[:, PRIOR], 1.0)
    np.testing.assert_array_equal(result.n_workers, 0)


def test_without_subjects_items_are_judged_all_the_same(case):
    votes, _, _, _ = case
    none = np.empty(0, dtype=int)
    cells = CellTable(none, none, np.empty(0), np.empty(0), N_CELLS)
    kept = votes.item < N_CELLS
    result = merge(
        VoteTable(
            votes.item[kept],
            votes.worker[kept],
            votes.answer[kept],
            np.arange(N_CELLS),
            np.full(N_CELLS, -1),
            150,
            ANSWERS,
            votes.classes,
            votes.class_of_answer,
        ),
        cells,
    )
    assert result.item_probabilities.shape == (N_CELLS, 5)
    assert result.subject_probabilities.shape == (0, 4)


def test_unvoted_prototypes_leave_their_members_to_the_prior(case):
    votes, cells, _, _ = case
    kept = votes.item % N_CELLS != 7
    result = merge(
        replace(votes, item=votes.item[kept], worker=votes.worker[kept], answer=votes.answer[kept]),
        cells,
    )
    members = (cells.best == 7) & (result.n_votes_direct == 0)
    assert members.any()
    assert (result.n_votes_prototype[members] == 0).all()
    others = (result.n_votes_prototype > 0) & (result.n_votes_direct == 0)
    assert result.entropy_bits[members].min() > np.median(result.entropy_bits[others]) + 0.5


def test_settings_reach_the_model(case):
    votes, cells, _, result = case
    other = merge(votes, cells, MergeSettings(half_distance=0.5, worker_strength=50.0))
    assert other.shares[:, PRIOR].mean() > result.shares[:, PRIOR].mean() + 0.02
    spread = [np.ptp(r.worker_agreement) for r in (other, result)]
    assert spread[0] < spread[1]


def test_result_holds_only_finite_numbers(case):
    result = case[3]
    for field in fields(result):
        value = getattr(result, field.name)
        if isinstance(value, np.ndarray):
            assert np.isfinite(value).all(), field.name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"item_cell": np.array([0, 9, -1])}, "item_cell must lie between -1 and 1"),
        ({"item_subject": np.array([-1, -1, 5])}, "item_subject must lie between -1 and 1"),
        ({"item_subject": np.array([-1, 1, 1])}, "item 1 must show either a prototype or"),
        ({"item_subject": np.array([-1.0, -1.0, 0.0])}, "item_subject must be integers"),
        ({"item_subject": np.array([-1, -1])}, "item_subject must have 3 entries"),
        ({"answer": np.array([0, 1, 2])}, "answer must lie between 0 and 1, got 2"),
    ],
)
def test_refuses_tables_that_contradict_themselves(changes, message):
    votes = VoteTable(
        item=np.array([0, 1, 2]),
        worker=np.array([0, 0, 0]),
        answer=np.array([0, 1, 1]),
        item_cell=np.array([0, 1, -1]),
        item_subject=np.array([-1, -1, 0]),
        n_workers=1,
        answers=["fri", "frii"],
        classes=["fri", "frii"],
        class_of_answer=np.array([0, 1]),
    )
    cells = CellTable(np.array([0, 1]), np.array([1, 0]), np.ones(2), np.full(2, 2.0), 2)
    with pytest.raises(InputError, match=message):
        merge(replace(votes, **changes), cells)
