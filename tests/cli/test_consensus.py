"""`skysort consensus` turns a table of votes into class probabilities."""

import csv
import gzip
import json

import numpy as np
import pytest

from skysort.cli import main
from skysort.consensus.accuracy import score
from skysort.consensus.vote_model import fit_vote_model
from tests.consensus_engine.difficult_crowds import make_difficult

NAMES = ("blue, bird", 'a "quoted" one', "wörter")


@pytest.fixture
def votes():
    return make_difficult(1, n_items=60, n_workers=12)


def write(path, rows, header=("item", "worker", "label")):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def named(votes):
    columns = zip(votes.item, votes.worker, votes.answer, strict=True)
    return [(f"i{i}", f"w{w}", NAMES[a]) for i, w, a in columns]


@pytest.fixture
def votes_path(tmp_path, votes):
    return write(tmp_path / "votes.csv", named(votes))


@pytest.fixture
def truth_path(tmp_path, votes):
    rows = [(f"i{i}", NAMES[t]) for i, t in enumerate(votes.truth)]
    return write(tmp_path / "truth.csv", rows, ("item", "truth"))


def read(path):
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.DictReader(text.splitlines()))


def test_it_writes_the_posterior_of_every_item(tmp_path, votes, votes_path, capsys):
    target = tmp_path / "out.csv"
    assert main(["consensus", votes_path, "-o", str(target)]) == 0
    fit = fit_vote_model(
        votes.item,
        votes.worker,
        votes.answer,
        **votes.sizes | {"n_answers": 3, "class_of_answer": range(3)},
    )
    rows = read(target)
    labels = sorted(NAMES)
    assert list(rows[0]) == [
        "item",
        "label",
        *(f"p_{name}" for name in labels),
        "entropy",
        "n_votes",
    ]
    assert [row["item"] for row in rows] == [f"i{i}" for i in range(60)]
    written = np.array([[float(row[f"p_{name}"]) for name in NAMES] for row in rows])
    np.testing.assert_allclose(written, fit.item_probabilities, atol=2e-3)
    np.testing.assert_allclose(written.sum(axis=1), 1.0, atol=1e-5)
    assert [row["label"] for row in rows] == [NAMES[k] for k in written.argmax(axis=1)]
    assert {row["n_votes"] for row in rows} == {"5"}
    p = np.maximum(written[0], 1e-12)
    assert float(rows[0]["entropy"]) == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-3)
    assert "60 items, 12 volunteers, 300 votes, 3 classes" in capsys.readouterr().out


def test_it_scores_three_models_if_the_truth_is_known(
    tmp_path, votes, votes_path, truth_path, capsys
):
    target = tmp_path / "out.csv"
    arguments = ["consensus", votes_path, "--truth", truth_path, "-o", str(target), "--json"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["items_scored"] == 60
    assert list(report["scores"]) == ["model", "majority", "plain_dawid_skene"]
    written = np.array([[float(row[f"p_{name}"]) for name in NAMES] for row in read(target)])
    expected = score(written / written.sum(axis=1, keepdims=True), votes.truth)
    ours = report["scores"]["model"]
    assert ours["accuracy"] == pytest.approx(expected.accuracy.value)
    assert ours["brier"] == pytest.approx(expected.brier, abs=1e-4)
    assert ours["log_loss"] == pytest.approx(expected.log_loss, abs=1e-3)
    assert ours["calibration_error"] == pytest.approx(expected.calibration_error, abs=0.02)
    counts = np.zeros((60, 3))
    np.add.at(counts, (votes.item, votes.answer), 1)
    by_count = score(counts / counts.sum(axis=1, keepdims=True), votes.truth)
    assert report["scores"]["majority"]["brier"] == pytest.approx(by_count.brier, abs=1e-4)


def test_labels_that_tie_count_in_part(tmp_path, capsys):
    rows = [("a", "x", "no"), ("a", "y", "yes"), ("b", "x", "no"), ("b", "y", "no")]
    path = write(tmp_path / "votes.csv", rows)
    truth = write(tmp_path / "truth.csv", [("a", "yes"), ("b", "no")], ("item", "truth"))
    arguments = ["consensus", path, "--truth", truth, "-o", str(tmp_path / "o.csv"), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["scores"]["majority"]["accuracy"] == 0.75


def test_it_prints_a_table_of_scores(tmp_path, votes_path, truth_path, capsys):
    assert (
        main(["consensus", votes_path, "--truth", truth_path, "-o", str(tmp_path / "o.csv")]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4].split() == ["accuracy", "brier", "log", "loss", "calibration", "error"]
    assert [line.rsplit(maxsplit=4)[0] for line in lines[-3:]] == [
        "model",
        "majority",
        "plain dawid skene",
    ]


def test_it_reads_any_order_quoting_mark_and_compression(tmp_path, votes, votes_path):
    lines = ["Worker,comment,LABEL , item\r\n"]
    for item, worker, label in named(votes):
        quoted = label.replace('"', '""')
        lines.append(f'{worker},"any, thing\nhere","{quoted}", {item} \r\n')
        lines.append("\r\n")
    other = tmp_path / "other.csv"
    other.write_bytes(gzip.compress(b"\xef\xbb\xbf" + "".join(lines).encode()))
    for source, name in ((votes_path, "one.csv"), (str(other), "two.csv.gz")):
        assert main(["consensus", source, "-o", str(tmp_path / name)]) == 0
    assert read(tmp_path / "one.csv") == read(tmp_path / "two.csv.gz")


def test_the_last_vote_of_a_volunteer_on_an_item_counts(tmp_path, capsys):
    rows = [("a", "x", "no"), ("a", "y", "yes"), ("a", "x", "yes"), ("a", "y", "yes")]
    path = write(tmp_path / "votes.csv", rows)
    assert main(["consensus", path, "-o", str(tmp_path / "out.csv")]) == 0
    row = read(tmp_path / "out.csv")[0]
    assert (row["label"], row["n_votes"]) == ("yes", "2")
    assert "2 votes were replaced by later ones" in capsys.readouterr().out


def test_one_class_alone_is_certain(tmp_path):
    path = write(tmp_path / "votes.csv", [("a", "x", "yes"), ("b", "x", "yes"), ("b", "y", "yes")])
    assert main(["consensus", path, "-o", str(tmp_path / "out.csv")]) == 0
    rows = read(tmp_path / "out.csv")
    assert [(row["p_yes"], row["entropy"]) for row in rows] == [("1", "0"), ("1", "0")]


def test_numbers_are_sorted_as_numbers(tmp_path):
    path = write(tmp_path / "votes.csv", [("a", "x", "10"), ("a", "y", "9"), ("a", "z", "-1")])
    assert main(["consensus", path, "-o", str(tmp_path / "out.csv")]) == 0
    assert list(read(tmp_path / "out.csv")[0])[2:5] == ["p_-1", "p_9", "p_10"]


def test_truth_without_votes_and_labels_that_nobody_named_are_counted(tmp_path, votes_path, capsys):
    truth = write(
        tmp_path / "t.csv", [("i1", "new"), ("i2", NAMES[0]), ("z", "x")], ("item", "truth")
    )
    arguments = ["consensus", votes_path, "--truth", truth, "-o", str(tmp_path / "o.csv"), "--json"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["items_scored"] == 2
    assert report["truth_without_votes"] == 1
    assert report["truth_that_nobody_named"] == ["new"]
    assert report["scores"]["model"]["accuracy"] <= 0.5
    assert report["scores"]["model"]["log_loss"] >= -np.log(2e-6) / 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must have one column item in its first line, which has nothing"),
        ("item,worker\na,b\n", "must have one column label in its first line, which has item, wor"),
        ("item,item,worker,label\n", "must have one column item in its first line"),
        ("item,worker,label\n", "has no votes: expected rows below the header"),
        ("item,worker,label\na,b,c\n\nd,,e\n", "line 4, has an empty worker"),
        ("item,worker,label\na,b\n", "line 2, has 2 cells; the header asks for 3"),
        ('item,worker,label\na,b,"c\n', "line 2, is no CSV: unexpected end of data"),
    ],
)
def test_it_names_the_row_that_breaks_a_rule(tmp_path, content, message, capsys):
    path = tmp_path / "votes.csv"
    path.write_text(content)
    target = tmp_path / "out.csv"
    assert main(["consensus", str(path), "-o", str(target)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"skysort: {path}")
    assert message in said
    assert not target.exists()


def test_it_refuses_bytes_that_are_no_text_and_damaged_files(tmp_path, capsys):
    path = tmp_path / "votes.csv"
    for content, message in (
        (b"item,worker,label\na,b,\xff\n", "must be UTF-8 text"),
        (gzip.compress(b"item,worker,label\na,b,c\n")[:-6], "is a damaged gzip file"),
    ):
        path.write_bytes(content)
        assert main(["consensus", str(path), "-o", str(tmp_path / "out.csv")]) == 1
        assert message in capsys.readouterr().err


def test_it_refuses_free_text_as_classes(tmp_path, capsys):
    path = write(tmp_path / "v.csv", [(f"i{i}", f"w{i}", f"text {i}") for i in range(400)])
    assert main(["consensus", path, "-o", str(tmp_path / "out.csv")]) == 1
    assert "400 different labels by 400 volunteers" in capsys.readouterr().err


def test_it_refuses_contradicting_and_foreign_truth(tmp_path, votes_path, capsys):
    for rows, message in (
        ([("i1", "x"), ("i1", "y")], "line 3, says that item i1 is y, and further up x"),
        ([("z", "x")], "has no item of the votes"),
    ):
        truth = write(tmp_path / "truth.csv", rows, ("item", "truth"))
        arguments = ["consensus", votes_path, "--truth", truth, "-o", str(tmp_path / "out.csv")]
        assert main(arguments) == 1
        assert message in capsys.readouterr().err
        assert not (tmp_path / "out.csv").exists()


def test_it_replaces_a_file_only_with_force(tmp_path, votes_path, capsys):
    target = tmp_path / "out.csv"
    target.write_text("kept")
    assert main(["consensus", votes_path, "-o", str(target)]) == 1
    assert target.read_text() == "kept"
    assert "replace it with --force" in capsys.readouterr().err
    assert main(["consensus", votes_path, "-o", str(target), "--force"]) == 0
    assert len(read(target)) == 60


def test_a_missing_file_is_named(tmp_path, capsys):
    assert main(["consensus", str(tmp_path / "none"), "-o", str(tmp_path / "out.csv")]) == 1
    assert f"skysort: {tmp_path}/none is no file" in capsys.readouterr().err
