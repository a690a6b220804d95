"""A million votes: the vote model beside the Dawid-Skene of crowd-kit.

.venv/bin/python tests/bench/vote_model.py [--items 200000] [--crowd-kit PYTHON]

crowd-kit brings forty packages and is no dependency of the project. To compare with it, give it an
environment of its own, and its Python to this script:

python3 -m venv /tmp/crowdkit && /tmp/crowdkit/bin/pip install crowd-kit
.venv/bin/python tests/bench/vote_model.py --crowd-kit /tmp/crowdkit/bin/python

Every fit runs in a process of its own. Processor time is that of the fit alone, from arrays (for
crowd-kit: from its table of votes) to probabilities; memory is the largest of the whole process.
Volunteers are of uneven skill, class by class, and of uneven effort; one in twenty answers at
random.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
N_WORKERS, N_CLASSES, VOTES_PER_ITEM, SPAMMERS = 5000, 6, 5, 0.05
FREQUENCIES = (0.4, 0.25, 0.15, 0.1, 0.06, 0.04)
MODELS = ("model", "plain", "majority")


def make_votes(n_items: int, seed: int) -> dict[str, np.ndarray]:
    """Draw different volunteers for each item, and their answers."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(N_CLASSES, n_items, p=FREQUENCIES)
    effort = np.log(rng.pareto(1.2, N_WORKERS) + 0.05)
    worker = np.empty((n_items, VOTES_PER_ITEM), dtype=np.int64)
    for start in range(0, n_items, 2000):
        key = effort + rng.gumbel(size=(len(worker[start : start + 2000]), N_WORKERS))
        chosen = np.argpartition(-key, VOTES_PER_ITEM - 1, axis=1)
        worker[start : start + 2000] = chosen[:, :VOTES_PER_ITEM]
    worker = worker.ravel()
    item = np.repeat(np.arange(n_items), VOTES_PER_ITEM)
    skill = rng.beta(6.0, 2.5, (N_WORKERS, N_CLASSES))
    skill[rng.random(N_WORKERS) < SPAMMERS] = 1.0 / N_CLASSES
    is_right = rng.random(len(item)) < skill[worker, truth[item]]
    wrong = (truth[item] + rng.integers(1, N_CLASSES, len(item))) % N_CLASSES
    return {
        "item": item,
        "worker": worker,
        "answer": np.where(is_right, truth[item], wrong),
        "truth": truth,
    }


def probabilities(name: str, votes: dict[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """Fit one of ours; class probabilities and processor seconds."""
    sys.path.insert(0, str(ROOT / "ml"))
    from skysort.consensus.baselines import majority, plain_dawid_skene
    from skysort.consensus.vote_model import fit_vote_model

    sizes = {"n_items": len(votes["truth"]), "n_classes": N_CLASSES}
    told = votes["item"], votes["worker"], votes["answer"]
    start = time.process_time()
    if name == "majority":
        table = majority(votes["item"], votes["answer"], **sizes)
    elif name == "plain":
        table = plain_dawid_skene(*told, n_workers=N_WORKERS, **sizes)
    else:
        table = fit_vote_model(
            *told,
            n_workers=N_WORKERS,
            n_answers=N_CLASSES,
            class_of_answer=range(N_CLASSES),
            **sizes,
        ).item_probabilities
    return table, time.process_time() - start


def crowd_kit_probabilities(votes: dict[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """Fit crowd-kit's Dawid-Skene as it comes."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    columns = {"task": votes["item"], "worker": votes["worker"], "label": votes["answer"]}
    table = pd.DataFrame(columns)
    start = time.process_time()
    result = DawidSkene(n_iter=100).fit_predict_proba(table)
    spent = time.process_time() - start
    items, classes = range(len(votes["truth"])), range(N_CLASSES)
    return result.reindex(index=items, columns=classes).fillna(0.0).to_numpy(), spent


def peak_mb() -> float:
    """Largest resident memory of this program; `getrusage` would count the parent's as well."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def fit_here(name: str, path: Path) -> None:
    """Fit in this process, and print what it cost and how good it is."""
    with np.load(path) as content:
        votes = dict(content)
    table, spent = (
        crowd_kit_probabilities(votes) if name == "crowd-kit" else probabilities(name, votes)
    )
    truth = votes["truth"]
    error = (table - np.eye(N_CLASSES)[truth]) ** 2
    print(
        json.dumps(
            {
                "cpu_s": spent,
                "memory_mb": peak_mb(),
                "accuracy": float((table.argmax(axis=1) == truth).mean()),
                "brier": float(error.sum(axis=1).mean()),
            }
        )
    )


def run(name: str, python: str, path: Path) -> None:
    """Fit in a process of its own, and print a row."""
    command = [python, __file__, "--fit", name, "--votes", str(path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    row = json.loads(done.stdout.splitlines()[-1])
    print(
        f"| {name} | {row['cpu_s']:.2f} | {row['memory_mb']:,.0f} | {row['accuracy']:.4f} "
        f"| {row['brier']:.4f} |",
        flush=True,
    )


def main() -> None:
    """Read the options, make votes, fit them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crowd-kit", metavar="PYTHON", help="Python that can import crowdkit")
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    parser.add_argument("--votes", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit_here(options.fit, options.votes)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "votes.npz"
        np.savez(path, **make_votes(options.items, options.seed))
        print("| fit | CPU s | peak MB | accuracy | Brier |\n|---|---|---|---|---|", flush=True)
        for name in MODELS:
            run(name, sys.executable, path)
        if options.crowd_kit:
            run("crowd-kit", options.crowd_kit, path)


if __name__ == "__main__":
    main()
