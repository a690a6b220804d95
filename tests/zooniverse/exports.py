"""Makes classification exports as Zooniverse writes them."""

import csv
import io

from skysort.zooniverse.rows import ClassificationRow, columns_of, json_text

COLUMNS = columns_of(ClassificationRow)


def make_row(number, *, user="annie", subject="11", answer="Smooth", **cells):
    """Make a row; `annotations`, `metadata` and `subject_data` may be given as objects."""
    made = {
        "classification_id": str(number),
        "user_name": user,
        "user_id": "" if user.startswith("not-logged-in") else str(1000 + len(user)),
        "user_ip": "",
        "workflow_id": "7",
        "workflow_name": "Shapes",
        "workflow_version": "3.12",
        "created_at": "2017-01-06 20:36:55 UTC",
        "gold_standard": "",
        "expert": "",
        "metadata": {
            "started_at": "2017-01-06T20:36:40.000Z",
            "finished_at": "2017-01-06T20:36:54.500Z",
        },
        "annotations": [{"task": "T0", "task_label": "What shape is it?", "value": answer}],
        "subject_data": {
            part: {"retired": None, "#Filename": f"S{int(part):05d}.png"}
            for part in subject.split(";")
        },
        "subject_ids": subject,
        **cells,
    }
    return {k: v if isinstance(v, str) else json_text(v) for k, v in made.items()}


def export_text(rows, columns=COLUMNS):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_export(path, rows, columns=COLUMNS):
    path.write_text(export_text(rows, columns), encoding="utf-8", newline="")
    return path
