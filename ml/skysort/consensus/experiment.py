"""Runs the whole loop with invented volunteers: ask, answer, merge, ask again.

Beside ours, in the same run and with the same crowd: majority of 5 and of 20 votes on every
subject, single subjects asked adaptively without any machine, and the copied label of prototypes.
A volunteer never sees a subject twice, neither alone nor in a grid.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from skysort.consensus.calibration import fit_calibration
from skysort.consensus.dawid_skene import fit_dawid_skene
from skysort.consensus.merge import GridTable, MergeResult, MergeSettings, VoteTable, merge
from skysort.consensus.next_question import Question, QuestionSettings, questions
from skysort.consensus.projection import CellTable
from skysort.consensus.simulation import Crowd

__all__ = ["Campaign", "Snapshot", "ask_adaptively", "ask_majority", "ask_prototypes", "ask_singly"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Progress = Callable[[int, int], None]

#: Shares of the questions that are asked of the audit sample, and by chance.
AUDIT_SHARE, CHANCE_SHARE = 0.05, 0.05
#: Share of the subjects in the audit sample.
AUDIT_FRACTION = 0.02
#: A question is drawn from so many of the best.
HEAD_OF_QUEUE = 200
#: When so many volunteers in turn find nothing in the queue it is made anew; after twice as many
#: they are asked by chance.
PATIENCE = 50
#: Pseudo-votes behind the crowd's matrix where no machine takes part: with one vote a subject, a
#: weaker prior lets classes drift, which would make the comparison too easy for us.
ALONE_CROWD_STRENGTH = 400.0
#: Votes between two merges: so many at first, later this share of the votes there are.
FIRST_MERGE, MERGE_SHARE = 60, 0.08


@dataclass(frozen=True)
class Campaign:
    """What is asked about: N subjects with known classes, their places and features."""

    truth: IntArray
    classes: tuple[str, ...]
    cells: CellTable
    features: NDArray[np.floating]

    @property
    def n_subjects(self) -> int:
        """Number of subjects, N."""
        return len(self.truth)


@dataclass(frozen=True)
class Snapshot:
    """What is believed after some votes.

    Attributes
    ----------
    n_votes : int
        Answers given; a grid is one.
    seconds : float
        Time that they took.
    probabilities : ndarray, float64, (N, C)
        Of all subjects.
    kinds : dict of str to int
        Answers by kind of question.
    """

    n_votes: int
    seconds: float
    probabilities: FloatArray
    kinds: dict[str, int]


@dataclass
class _Ballots:
    """All answers so far."""

    n_cells: int
    n_subjects: int
    item: list[int] = field(default_factory=list)
    worker: list[int] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    judged: list[tuple[IntArray, int, int, BoolArray]] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    n_votes: int = 0
    seconds: float = 0.0

    def count(self, kind: str, seconds: float) -> None:
        self.n_votes += 1
        self.seconds += seconds
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def vote(self, item: int, worker: int, answer: int) -> None:
        self.item.append(item)
        self.worker.append(worker)
        self.answer.append(answer)

    def table(self, crowd: Crowd, audit: IntArray) -> VoteTable:
        """Items are all prototypes, then all subjects."""
        answers = list(crowd.answers)
        classes = answers[:-1]
        everything = np.arange(self.n_cells + self.n_subjects)
        return VoteTable(
            item=np.array(self.item, dtype=np.int64),
            worker=np.array(self.worker, dtype=np.int64),
            answer=np.array(self.answer, dtype=np.int64),
            item_cell=np.where(everything < self.n_cells, everything, -1),
            item_subject=np.where(everything < self.n_cells, -1, everything - self.n_cells),
            n_workers=len(crowd.effort),
            answers=answers,
            classes=classes,
            class_of_answer=np.append(np.arange(len(classes)), -1),
            grids=self.grids(),
            audit=audit,
        )

    def grids(self) -> GridTable:
        if not self.judged:
            return GridTable.empty()
        sizes = [len(members) for members, *_ in self.judged]
        return GridTable(
            np.concatenate([members for members, *_ in self.judged]),
            np.repeat([worker for _, worker, *_ in self.judged], sizes),
            np.repeat([label for _, _, label, _ in self.judged], sizes),
            np.concatenate([ticks for *_, ticks in self.judged]),
        )


def _shares(campaign: Campaign) -> FloatArray:
    """Shares of the classes among the members of each prototype (n_cells, C)."""
    counts = np.zeros((campaign.cells.n_cells, len(campaign.classes)))
    np.add.at(counts, (campaign.cells.best, campaign.truth), 1.0)
    shares: FloatArray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return shares


def _who_is_left(crowd: Crowd, seen: BoolArray, rng: np.random.Generator) -> int | None:
    """Choose a volunteer by effort among those who have not seen everything."""
    worker = int(crowd.pick(1, rng)[0])
    if not seen[worker].all():
        return worker
    effort = crowd.effort * ~seen.all(axis=1)
    if not effort.any():
        return None
    return int(rng.choice(len(effort), p=effort / effort.sum()))


@dataclass
class _Loop:
    """One campaign with one crowd; who has seen what."""

    campaign: Campaign
    crowd: Crowd
    rng: np.random.Generator
    audit: IntArray
    settings: MergeSettings
    asking: QuestionSettings
    ballots: _Ballots
    shares: FloatArray
    seen: BoolArray  # (W, N)
    seen_cell: BoolArray  # (W, n_cells)
    result: MergeResult

    def answer(self, worker: int, question: Question) -> None:
        """Let a volunteer answer a question."""
        crowd, rng, ballots = self.crowd, self.rng, self.ballots
        seconds = crowd.seconds(worker, question.kind, rng, n_members=len(question.subjects))
        if question.kind == "grid":
            members = question.subjects
            ticks = crowd.answer_grid(worker, self.campaign.truth[members], question.label, rng)
            if ticks is not None:
                ballots.judged.append((members, worker, question.label, ticks))
            self.seen[worker, members] = True
        elif question.kind == "prototype":
            answer = crowd.answer_group(worker, self.shares[question.cell], rng)
            ballots.vote(question.cell, worker, int(answer[0]))
            self.seen_cell[worker, question.cell] = True
        else:
            subject = int(question.subjects[0])
            answer = crowd.answer(worker, self.campaign.truth[subject], rng)
            ballots.vote(ballots.n_cells + subject, worker, int(answer[0]))
            self.seen[worker, subject] = True
        ballots.count(question.kind, float(seconds[0]))

    def volunteer(self) -> int | None:
        """Choose who answers next, by effort; None when all have seen everything."""
        return _who_is_left(self.crowd, self.seen, self.rng)

    def by_chance(self, worker: int, pool: IntArray) -> Question | None:
        """Ask about any subject of the pool that the volunteer has not seen, if there is one."""
        unseen = pool[~self.seen[worker, pool]]
        if not len(unseen):
            return None
        return Question("subject", -1, -1, self.rng.choice(unseen, 1), 0.0)

    def fits(self, worker: int, question: Question) -> bool:
        """Whether it shows this volunteer nothing again."""
        if question.kind == "prototype":
            return not self.seen_cell[worker, question.cell]
        return not self.seen[worker, question.subjects].any()

    def pick(self, worker: int, queue: list[Question]) -> Question | None:
        """Draw from the best that fit, some from the audit sample or by chance."""
        lane = self.rng.random()
        if lane < AUDIT_SHARE + CHANCE_SHARE:
            pool = self.audit if lane < AUDIT_SHARE else np.arange(self.campaign.n_subjects)
            question = self.by_chance(worker, pool)
            if question is not None:
                return question
        fitting: list[int] = []
        for place, question in enumerate(queue):
            if self.fits(worker, question):
                fitting.append(place)
                if len(fitting) == HEAD_OF_QUEUE:
                    break
        if not fitting:
            return None
        weight = np.array([queue[place].gain for place in fitting]) + 1e-12
        return queue.pop(int(self.rng.choice(fitting, p=weight / weight.sum())))

    def merge(self) -> None:
        table = self.ballots.table(self.crowd, self.audit)
        start = self.result if self.ballots.n_votes > FIRST_MERGE else None
        self.result = merge(
            table,
            self.campaign.cells,
            self.settings,
            features=self.campaign.features,
            start=start,
        )

    def calibrated(self) -> FloatArray:
        """Probabilities (N, C) of the catalog, made honest by the audit sample."""
        said, voted = self.result.machine_probabilities, self.result.own_log_likelihood
        calibration = fit_calibration(said[self.audit], voted[self.audit])
        return calibration.apply(said, voted)

    def queue(self) -> list[Question]:
        """List what is worth asking; when all are sure enough, ask about the least sure."""
        is_audit = np.zeros(self.campaign.n_subjects, dtype=bool)
        is_audit[self.audit] = True
        for sure in (self.asking.sure, 0.999, 1.1):
            asked = questions(
                self.result,
                self.campaign.cells,
                is_closed=is_audit,
                settings=replace(self.asking, sure=sure),
                seed=self.ballots.n_votes,
            )
            if len(asked) > self.campaign.cells.n_cells:
                break
        return asked


def ask_adaptively(
    campaign: Campaign,
    crowd: Crowd,
    budgets: Sequence[int],
    *,
    seed: int,
    settings: MergeSettings | None = None,
    asking: QuestionSettings | None = None,
    on_progress: Progress | None = None,
) -> list[Snapshot]:
    """Ask about prototypes, grids and subjects where the expected gain is largest, and merge.

    Parameters
    ----------
    campaign : Campaign
        What is asked about.
    crowd : Crowd
        Who answers.
    budgets : sequence of int
        Numbers of answers after which to look.
    seed : int
        Of the audit sample, of who comes when, and of their answers.
    settings, asking : MergeSettings, QuestionSettings, optional
        By default the defaults.
    on_progress : callable, optional
        Called with the answers so far and the largest budget.

    Returns
    -------
    list of Snapshot
        One for each budget, the smallest first.
    """
    rng = np.random.default_rng(seed)
    n, n_cells = campaign.n_subjects, campaign.cells.n_cells
    audit = np.sort(rng.permutation(n)[: max(1, round(AUDIT_FRACTION * n))])
    ballots = _Ballots(n_cells, n)
    chosen = settings or MergeSettings()
    none = merge(ballots.table(crowd, audit), campaign.cells, chosen, features=campaign.features)
    loop = _Loop(
        campaign,
        crowd,
        rng,
        audit,
        chosen,
        asking or QuestionSettings(),
        ballots,
        _shares(campaign),
        np.zeros((len(crowd.effort), n), dtype=bool),
        np.zeros((len(crowd.effort), n_cells), dtype=bool),
        none,
    )
    snapshots, goes_on = [], True
    for budget in sorted(budgets):
        while goes_on and ballots.n_votes < budget:
            until = ballots.n_votes + max(FIRST_MERGE, int(MERGE_SHARE * ballots.n_votes))
            goes_on = _ask_until(loop, min(until, budget))
            loop.merge()
            if on_progress:
                on_progress(ballots.n_votes, max(budgets))
        snapshots.append(
            Snapshot(ballots.n_votes, ballots.seconds, loop.calibrated(), dict(ballots.kinds))
        )
    return snapshots


def _ask_until(loop: _Loop, n_votes: int) -> bool:
    """Ask until there are so many votes; False if all volunteers have seen everything before."""
    queue = loop.queue()
    idle = 0
    while loop.ballots.n_votes < n_votes:
        worker = loop.volunteer()
        if worker is None:
            return False
        question = loop.pick(worker, queue)
        if question is None:
            idle += 1
            if idle == PATIENCE:
                queue = loop.queue()
            if idle < 2 * PATIENCE:
                continue
            question = loop.by_chance(worker, np.arange(loop.campaign.n_subjects))
            assert question is not None  # whoever is chosen has something left
        loop.answer(worker, question)
        idle = 0
    return True


# What it is compared with -------------------------------------------------------------------
def ask_singly(
    campaign: Campaign,
    crowd: Crowd,
    budgets: Sequence[int],
    *,
    seed: int,
    settings: MergeSettings | None = None,
    on_progress: Progress | None = None,
) -> list[Snapshot]:
    """Ask about single subjects alone, the least certain first; Dawid-Skene without a machine."""
    rng = np.random.default_rng(seed)
    chosen = settings or MergeSettings()
    n, n_classes = campaign.n_subjects, len(campaign.classes)
    ballots = _Ballots(0, n)
    seen = np.zeros((len(crowd.effort), n), dtype=bool)
    probabilities = np.full((n, n_classes), 1.0 / n_classes)
    snapshots, goes_on = [], True
    for budget in sorted(budgets):
        while goes_on and ballots.n_votes < budget:
            until = ballots.n_votes + max(FIRST_MERGE, int(MERGE_SHARE * ballots.n_votes))
            goes_on = _ask_the_unsure(
                ballots, crowd, campaign.truth, seen, probabilities, min(until, budget), rng
            )
            probabilities = _without_machine(ballots, crowd, n_classes, chosen)
            if on_progress:
                on_progress(ballots.n_votes, max(budgets))
        snapshots.append(
            Snapshot(ballots.n_votes, ballots.seconds, probabilities, dict(ballots.kinds))
        )
    return snapshots


def _ask_the_unsure(
    ballots: _Ballots,
    crowd: Crowd,
    truth: IntArray,
    seen: BoolArray,
    probabilities: FloatArray,
    n_votes: int,
    rng: np.random.Generator,
) -> bool:
    """Ask about the least certain; False if all volunteers have seen everything before."""
    log = np.log(np.where(probabilities > 0.0, probabilities, 1.0))
    entropy = -(probabilities * log).sum(axis=1)
    order = np.argsort(-(entropy + 1e-3 * rng.random(len(entropy))), kind="stable")
    asked = np.zeros(len(order), dtype=bool)
    while ballots.n_votes < n_votes:
        worker = _who_is_left(crowd, seen, rng)
        if worker is None:
            return False
        free = order[~(asked | seen[worker])[order]]
        if not len(free):
            asked[:] = False
            continue
        subject = int(rng.choice(free[:HEAD_OF_QUEUE]))
        ballots.vote(subject, worker, int(crowd.answer(worker, truth[subject], rng)[0]))
        ballots.count("subject", float(crowd.seconds(worker, "subject", rng)[0]))
        seen[worker, subject] = asked[subject] = True
    return True


def _without_machine(
    ballots: _Ballots, crowd: Crowd, n_classes: int, settings: MergeSettings
) -> FloatArray:
    fit = fit_dawid_skene(
        ballots.item,
        ballots.worker,
        ballots.answer,
        n_items=ballots.n_subjects,
        n_workers=len(crowd.effort),
        n_classes=n_classes,
        n_answers=len(crowd.answers),
        class_of_answer=np.append(np.arange(n_classes), [-1, -1]),
        worker_strength=settings.worker_strength,
        crowd_strength=ALONE_CROWD_STRENGTH,
        class_strength=settings.class_strength,
    )
    return fit.item_probabilities


def ask_majority(campaign: Campaign, crowd: Crowd, votes_each: int, *, seed: int) -> Snapshot:
    """Show every subject to as many volunteers and count."""
    rng = np.random.default_rng(seed)
    n, n_classes = campaign.n_subjects, len(campaign.classes)
    ballots = _Ballots(0, n)
    counts = np.zeros((n, n_classes))
    for subject in range(n):
        who = rng.choice(len(crowd.effort), votes_each, replace=False, p=crowd.effort)
        answers = crowd.answer(who, campaign.truth[subject], rng)
        named = answers[answers < n_classes]
        counts[subject] = np.bincount(named, minlength=n_classes)
        for seconds in crowd.seconds(who, "subject", rng):
            ballots.count("subject", float(seconds))
    return Snapshot(ballots.n_votes, ballots.seconds, _vote_shares(counts), ballots.kinds)


def _vote_shares(counts: FloatArray) -> FloatArray:
    """Shares of votes; even where nobody named a class."""
    total = counts.sum(axis=1, keepdims=True)
    even = np.full_like(counts, 1.0 / counts.shape[1])
    shares: FloatArray = np.divide(counts, total, out=even, where=total > 0.0)
    return shares


def ask_prototypes(
    campaign: Campaign, crowd: Crowd, budgets: Sequence[int], *, seed: int
) -> list[Snapshot]:
    """Ask about prototypes alone, each as often as the others, and copy the label to members.

    That is the class most named, whoever calls the prototype mixed; where nobody named one, members
    get the shares of the others.
    """
    rng = np.random.default_rng(seed)
    shares, n_classes = _shares(campaign), len(campaign.classes)
    filled = np.flatnonzero(np.bincount(campaign.cells.best, minlength=len(shares)))
    ballots = _Ballots(len(shares), campaign.n_subjects)
    counts = np.zeros((len(shares), n_classes))
    snapshots = []
    for budget in sorted(budgets):
        most = len(filled) * len(crowd.effort)
        while ballots.n_votes < min(budget, most):
            cell = filled[ballots.n_votes % len(filled)]
            worker = int(crowd.pick(1, rng)[0])
            answer = int(crowd.answer_group(worker, shares[cell], rng)[0])
            if answer < n_classes:
                counts[cell, answer] += 1.0
            ballots.count("prototype", float(crowd.seconds(worker, "prototype", rng)[0]))
        snapshots.append(_copied(campaign, ballots, counts))
    return snapshots


def _copied(campaign: Campaign, ballots: _Ballots, counts: FloatArray) -> Snapshot:
    share = _vote_shares(counts)
    is_named = counts.any(axis=1)
    hits = np.bincount(campaign.cells.best, minlength=len(counts)) * is_named
    if is_named.any():
        share[~is_named] = hits @ share / hits.sum()
    return Snapshot(
        ballots.n_votes, ballots.seconds, share[campaign.cells.best], dict(ballots.kinds)
    )
