"""`skysort zooniverse`: votes from a classification export of Zooniverse."""

import argparse
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skysort.commands.arguments import Commands, add_force, check_target
from skysort.errors import InputError

if TYPE_CHECKING:
    from skysort.zooniverse.answers import Tasks, TaskSummary
    from skysort.zooniverse.classifications import Classification, ClassificationFile
    from skysort.zooniverse.rows import Fault

FAULTS_SHOWN = 10
REPEATED = "the same person answered the subject before"
NO_SUBJECT = "it names no subject"
NO_ITEM = "its subject lacks the column of the item"


@dataclass
class _Count:
    """What became of the classifications."""

    n_votes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    faults: "list[Fault]" = field(default_factory=list)

    def keep(self, fault: "Fault") -> None:
        """Remember the first faults."""
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(fault)


def add(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "zooniverse",
        help="turn a classification export of Zooniverse into a table of votes",
        description="Read a classification export and write a CSV table with columns item, worker "
        "and label, as `skysort consensus` reads it. An item is a subject id; several subjects "
        "shown together are one item. A person's first answer to a subject counts. Rows that "
        "cannot be read are named, and the rest goes on.",
    )
    parser.add_argument("export", type=Path, metavar="EXPORT.csv", help="also compressed by gzip")
    parser.add_argument("-o", "--output", type=Path, metavar="VOTES.csv")
    parser.add_argument("--workflow", default="", metavar="ID", help="classifications of this one")
    parser.add_argument(
        "--task", default="", help="task such as T0, if several have single answers"
    )
    parser.add_argument(
        "--item", default="", metavar="COLUMN", help="metadata of the subject instead of its id"
    )
    parser.add_argument(
        "--tree",
        type=Path,
        metavar="TREE.json",
        help="also write a question tree for a campaign; without --task it follows all tasks of "
        "the workflow that have single answers",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_force(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Look the tasks over, then write what was asked for."""
    from skysort.zooniverse.answers import task_find

    if options.output is None and options.tree is None:
        raise InputError("say what to write: -o VOTES.csv, --tree TREE.json, or both")
    for target in (options.output, options.tree):
        if target is not None:
            check_target(target, force=options.force)
    tasks = _tasks(options.export)
    report: dict[str, Any] = {"export": str(options.export)}
    if options.tree is not None:
        report |= _write_tree(options, tasks)
    if options.output is not None:
        chosen = task_find(tasks, workflow=options.workflow, task=options.task)
        report |= _write_votes(options, chosen)
    return json.dumps(report) if options.json else _lines(report)


def _tasks(path: Path) -> "Tasks":
    from skysort.zooniverse.answers import Tasks
    from skysort.zooniverse.classifications import ClassificationFile

    tasks = Tasks()
    for classification in ClassificationFile(path, on_fault=lambda _: None):
        tasks.add(classification)
    return tasks


def _write_tree(options: argparse.Namespace, tasks: "Tasks") -> dict[str, Any]:
    from skysort.images.whole_file import write_whole
    from skysort.zooniverse.answers import task_find
    from skysort.zooniverse.question_trees import tree_of_chain, tree_of_task

    wanted = {"workflow": options.workflow, "task": options.task}
    found = tasks.choices(**wanted)
    is_chain = len(found) > 1 and len({task.workflow_id for task in found}) == 1
    tree = tree_of_chain(found) if is_chain else tree_of_task(task_find(tasks, **wanted))
    with write_whole(options.tree) as file:
        file.write((json.dumps(tree, indent=2, ensure_ascii=False) + "\n").encode())
    return {"tree": str(options.tree), "questions": list(tree["questions"])}


def _write_votes(options: argparse.Namespace, task: "TaskSummary") -> dict[str, Any]:
    from skysort.images.whole_file import write_whole
    from skysort.zooniverse.classifications import ClassificationFile

    count = _Count()
    file = ClassificationFile(options.export, on_fault=count.keep)
    with write_whole(options.output) as target:
        text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["item", "worker", "label"])
        writer.writerows(_votes(file, task, options.item, count))
        text.detach()
        if not count.n_votes:
            raise InputError(
                f"{options.export} gives no votes: {_reasons(count) or 'it has no good rows'}"
            )
    return {
        "votes_table": str(options.output),
        "workflow": task.workflow_id,
        "task": task.task,
        "rows": file.n_rows,
        "votes": count.n_votes,
        "labels": [label for label, _ in task.labels.most_common()],
        "left_out": dict(count.reasons),
        "repeated_rows": file.n_repeated,
        "bad_rows": file.n_faults,
        "faults": [str(fault) for fault in count.faults],
    }


def _votes(
    file: "ClassificationFile", task: "TaskSummary", column: str, count: _Count
) -> Iterator[tuple[str, str, str]]:
    from skysort.zooniverse.answers import Choice, choice_of

    answered: set[tuple[str, str]] = set()
    for classification in file:
        if classification.row.workflow_id != task.workflow_id:
            count.reasons["it belongs to another workflow"] += 1
            continue
        choice = choice_of(classification, task.task)
        item = _item(classification, column)
        if not isinstance(choice, Choice):
            count.reasons[str(choice)] += 1
        elif not item:
            count.reasons[NO_ITEM if column else NO_SUBJECT] += 1
        elif (item, classification.volunteer) in answered:
            count.reasons[REPEATED] += 1
        else:
            answered.add((item, classification.volunteer))
            count.n_votes += 1
            yield item, classification.volunteer, choice.label.strip()


def _item(classification: "Classification", column: str) -> str:
    if not column:
        return ";".join(classification.subject_ids)
    from skysort.zooniverse.subjects import metadata_value

    found = (
        metadata_value(classification.subject_data.get(subject, {}), column)
        for subject in classification.subject_ids
    )
    return ";".join(value for value in found if value)


def _reasons(count: _Count) -> str:
    return ", ".join(f"{reason} ({n:,})" for reason, n in count.reasons.most_common())


def _lines(report: dict[str, Any]) -> str:
    lines = []
    if "tree" in report:
        lines.append(f"{report['tree']}: asks {', '.join(report['questions'])}")
    if "votes" in report:
        lines.append(
            f"{report['votes_table']}: {report['votes']:,} votes on task {report['task']} of "
            f"workflow {report['workflow']}, from {report['rows']:,} rows"
        )
        left_out = [f"{n:,} left out: {reason}" for reason, n in report["left_out"].items()]
        lines += left_out
        if report["repeated_rows"]:
            lines.append(f"{report['repeated_rows']:,} rows stood there twice")
        if report["bad_rows"]:
            lines += [f"{report['bad_rows']:,} rows cannot be read:", *report["faults"]]
        if report["bad_rows"] > FAULTS_SHOWN:
            lines.append("...")
    return "\n".join(lines)
