"""`skysort zooniverse` turns an export into votes that `skysort consensus` merges."""

import csv
import json

import pytest

from skysort.cli import main
from tests.zooniverse.exports import make_row, write_export

YES_NO = {"task": "T1", "task_label": "Is it round?"}


@pytest.fixture
def export(tmp_path):
    rows = [
        make_row(1),
        make_row(2, user="bella", subject="12", answer="Disk"),
        make_row(3, answer="Disk"),  # annie's second answer to subject 11
        make_row(4, user="bella", annotations=[{"task": "T0", "value": ["Disk", "Smooth"]}]),
        make_row(5, user="cara", annotations=[{"task": "T0", "value": [{"tool": 0, "x": 1}]}]),
        make_row(6, user="cara", workflow_id="8", annotations=[]),
        make_row(7, user="not-logged-in-1f", subject="11;12"),
        make_row(8, created_at="never"),
    ]
    return write_export(tmp_path / "export.csv", rows)


def votes_of(path):
    return [tuple(row.values()) for row in csv.DictReader(path.read_text().splitlines())]


def test_single_answers_become_votes_and_the_rest_is_counted(export, tmp_path, capsys):
    target = tmp_path / "votes.csv"
    assert main(["zooniverse", str(export), "-o", str(target), "--json"]) == 0
    assert votes_of(target) == [
        ("11", "user-1005", "Smooth"),
        ("12", "user-1005", "Disk"),
        ("11;12", "not-logged-in-1f", "Smooth"),
    ]
    report = json.loads(capsys.readouterr().out)
    assert report["left_out"] == {
        "the same person answered the subject before": 1,
        "several answers were chosen": 1,
        "it is a drawing": 1,
        "it belongs to another workflow": 1,
    }
    assert (report["rows"], report["votes"], report["bad_rows"]) == (8, 3, 1)
    assert "line 9, column created_at" in report["faults"][0]


def test_votes_go_on_to_consensus(export, tmp_path, capsys):
    votes, posteriors = tmp_path / "votes.csv", tmp_path / "posteriors.csv"
    assert main(["zooniverse", str(export), "-o", str(votes), "--item", "filename"]) == 0
    assert main(["consensus", str(votes), "-o", str(posteriors)]) == 0
    rows = list(csv.DictReader(posteriors.read_text().splitlines()))
    assert [row["item"] for row in rows] == ["S00011.png", "S00012.png", "S00011.png;S00012.png"]
    assert rows[0]["label"] == "Smooth"


def test_several_tasks_are_named_to_choose_from(tmp_path, capsys):
    both = [{"task": "T0", "value": "Smooth"}, {**YES_NO, "value": "Yes"}]
    export = write_export(tmp_path / "export.csv", [make_row(1, annotations=both)])
    target = tmp_path / "votes.csv"
    assert main(["zooniverse", str(export), "-o", str(target)]) == 1
    said = capsys.readouterr().err
    assert "choose one with --workflow and --task" in said
    assert "T1 of workflow 7 (1 single answers: 'Yes')" in said
    assert not target.exists()
    assert main(["zooniverse", str(export), "-o", str(target), "--task", "T1"]) == 0
    assert votes_of(target) == [("11", "user-1005", "Yes")]


def test_an_export_of_drawings_alone_gives_no_votes(tmp_path, capsys):
    drawn = [{"task": "T0", "value": [{"tool": 0, "x": 1}]}]
    export = write_export(tmp_path / "export.csv", [make_row(1, annotations=drawn)])
    assert main(["zooniverse", str(export), "-o", str(tmp_path / "votes.csv")]) == 1
    assert "No task has single answers; the file has T0 of workflow 7" in capsys.readouterr().err


def test_a_tree_follows_what_people_were_asked(tmp_path, capsys):
    def answers(*values):
        tasks = zip(("T0", "T1", "T2"), values, strict=False)
        return [
            {"task": task, "task_label": f"{task}?", "value": value}
            for task, value in tasks
            if value
        ]

    rows = [
        make_row(1, annotations=answers("**Smooth**", "Yes")),
        make_row(2, annotations=answers("smooth", "No")),
        make_row(3, annotations=answers("Disk", None, "Yes")),
        make_row(4, annotations=answers("Disk", None, "Can't tell")),
        make_row(5, annotations=answers("Star or artefact")),
    ]
    export, tree = write_export(tmp_path / "e.csv", rows), tmp_path / "tree.json"
    assert main(["zooniverse", str(export), "--tree", str(tree)]) == 0
    made = json.loads(tree.read_text())
    assert made["root"] == "t0"
    found = {
        key: [(a["key"], a.get("next") or a["means"]) for a in step["answers"]]
        for key, step in made["questions"].items()
    }
    assert found == {
        "t0": [("disk", "t2"), ("smooth", "t1"), ("star_or_artefact", "class")],
        "t1": [("t1_yes", "class"), ("no", "class")],
        "t2": [("t2_yes", "class"), ("can_t_tell", "unknown")],
    }
    assert capsys.readouterr().out == f"{tree}: asks t0, t1, t2\n"


def test_it_asks_what_to_write(export, capsys):
    assert main(["zooniverse", str(export)]) == 1
    assert "say what to write" in capsys.readouterr().err


def test_a_wrong_workflow_is_named(export, tmp_path, capsys):
    tree = tmp_path / "tree.json"
    assert main(["zooniverse", str(export), "--tree", str(tree), "--workflow", "9"]) == 1
    assert "No task of workflow 9 has single answers" in capsys.readouterr().err


def test_free_text_is_no_choice(tmp_path, capsys):
    rows = [
        make_row(
            number,
            user=f"user {number}",
            annotations=[
                {"task": "T0", "value": "Disk"},
                {"task": "T1", "value": f"words {number}"},
            ],
        )
        for number in range(1, 1003)
    ]
    export = write_export(tmp_path / "export.csv", rows)
    target = tmp_path / "votes.csv"
    assert main(["zooniverse", str(export), "-o", str(target)]) == 0
    assert {label for _, _, label in votes_of(target)} == {"Disk"}
