"""Classification exports are read row by row; bad rows are named and the rest goes on."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skysort.errors import InputError
from skysort.zooniverse.classifications import ClassificationFile, Kind, annotation_of
from skysort.zooniverse.rows import (
    ClassificationRow,
    SubjectRow,
    WorkflowRow,
    read_subjects,
    read_workflows,
    table_text,
    write_rows,
)
from tests.zooniverse.exports import COLUMNS, export_text, make_row, write_export


def read(path):
    faults = []
    file = ClassificationFile(path, on_fault=faults.append)
    return list(file), [str(fault) for fault in faults], file


def test_a_row_tells_who_answered_what_when(tmp_path):
    path = write_export(tmp_path / "c.csv", [make_row(5, user="not-logged-in-ab12")])
    (found,), faults, _ = read(path)
    assert faults == []
    assert (found.number, found.line, found.subject_ids) == (5, 2, ("11",))
    assert found.volunteer == "not-logged-in-ab12"
    assert found.seconds == 14.5
    assert found.created_at.isoformat() == "2017-01-06T20:36:55+00:00"
    assert found.annotations[0].choices == ["Smooth"]
    assert found.subject_data["11"]["#Filename"] == "S00011.png"


def test_a_user_is_one_person_under_any_name(tmp_path):
    rows = [make_row(1), make_row(2, user_name="annie the great")]
    found, _, _ = read(write_export(tmp_path / "c.csv", rows))
    assert {each.volunteer for each in found} == {"user-1005"}


@pytest.mark.parametrize(
    ("entry", "kind", "choices"),
    [
        ({"task": "T0", "value": "Yes"}, Kind.SINGLE, ["Yes"]),
        ({"task": "T0", "value": ["a", "b"]}, Kind.MULTIPLE, ["a", "b"]),
        ({"task": "T0", "value": "a word", "taskType": "text"}, Kind.TEXT, []),
        ({"task": "T0", "value": [{"tool": 0, "x": 1.5, "y": 2}]}, Kind.DRAWING, []),
        ({"task": "T0", "value": [{"toolType": "point", "x": 1}]}, Kind.DRAWING, []),
        ({"task": "T0", "value": [{"choice": "DEER", "answers": {}}]}, Kind.SURVEY, ["DEER"]),
        ({"task": "T0", "value": [{"select_label": "Year", "label": "1997"}]}, Kind.DROPDOWN,
         ["1997"]),
        ({"task": "T0", "value": []}, Kind.EMPTY, []),
        ({"task": "T0", "value": None}, Kind.EMPTY, []),
        ({"task": "T0", "value": 3.5}, Kind.SLIDER, []),
        ({"task": "T0", "value": {"a": 1}}, Kind.UNKNOWN, []),
        ({"task": 4, "value": [1, "b"]}, Kind.UNKNOWN, []),
        ({}, Kind.EMPTY, []),
    ],
)  # fmt: skip
def test_the_kind_of_an_annotation_is_told_by_its_form(entry, kind, choices):
    found = annotation_of(entry)
    assert (found.kind, found.choices, found.value) == (kind, choices, entry.get("value"))


def test_the_parts_of_a_combo_task_are_annotations():
    parts = [{"task": "T1", "value": "Yes"}, {"task": "T2", "value": [{"tool": 1}]}]
    found = annotation_of({"task": "T0", "task_label": None, "value": parts})
    assert found.kind == Kind.COMBO
    assert [(part.task, part.kind) for part in found.flat()] == [
        ("T1", Kind.SINGLE),
        ("T2", Kind.DRAWING),
    ]


@pytest.mark.parametrize(
    ("cells", "column", "rule"),
    [
        ({"classification_id": "x1"}, "classification_id", "must be a number"),
        ({"classification_id": "007"}, "classification_id", "must be a number"),
        ({"created_at": "yesterday"}, "created_at", "must be a time such as"),
        ({"metadata": "[]"}, "metadata", "must be a JSON object, got list"),
        ({"annotations": '[{"task":'}, "annotations", "is no JSON"),
        ({"annotations": '["T0"]'}, "annotations", "must be a JSON list of objects"),
        ({"annotations": "[" * 100_000}, "annotations", "is no JSON"),
        ({"subject_data": '{"11": 3}'}, "subject_data", "that of subject 11 must be"),
        ({"subject_ids": "11,12"}, "subject_ids", "numbers between ';'"),
        ({"user_name": "", "user_id": ""}, "user_name", "nobody is named"),
        ({"user_name": "n" * 256}, "user_name", "more than 255 characters"),
        ({"workflow_name": "a\0b"}, "workflow_name", "NUL"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_goes_on(tmp_path, cells, column, rule):
    rows = [make_row(1), make_row(2, **cells), make_row(3)]
    found, faults, file = read(write_export(tmp_path / "c.csv", rows))
    assert [each.number for each in found] == [1, 3]
    (fault,) = faults
    assert fault.startswith(f"c.csv, line 3, column {column}: ")
    assert rule in fault
    assert (file.n_rows, file.n_faults) == (3, 1)


def test_a_row_with_too_few_cells_or_stray_quotes_is_named(tmp_path):
    good = export_text([make_row(1)])
    text = good + '2,annie\n3,"a"b,c\n' + export_text([make_row(4)]).partition("\n")[2]
    path = tmp_path / "c.csv"
    path.write_text(text)
    found, faults, _ = read(path)
    assert [each.number for each in found] == [1, 4]
    assert faults[0] == "c.csv, line 3: it has 2 cells, and the header has 14"
    assert faults[1].startswith("c.csv, line 4: it is no CSV")


def test_lines_count_within_cells(tmp_path):
    rows = [make_row(1, workflow_name="two\nlines"), make_row(2, created_at="")]
    found, faults, _ = read(write_export(tmp_path / "c.csv", rows))
    assert found[0].row.workflow_name == "two\nlines"
    assert faults[0].startswith("c.csv, line 4, column created_at")


def test_a_row_that_stands_there_twice_counts_once(tmp_path):
    rows = [make_row(1), make_row(2), make_row(1), make_row(2, answer="Disk"), make_row(3)]
    found, faults, file = read(write_export(tmp_path / "c.csv", rows))
    assert [each.number for each in found] == [1, 2, 3]
    assert file.n_repeated == 1
    assert faults == [
        "c.csv, line 5, column classification_id: 2 stands in an earlier row with other content"
    ]


@pytest.mark.parametrize("cut", [2, 4, 60, 200])
def test_a_file_that_was_cut_off_is_an_error(tmp_path, cut):
    text = export_text([make_row(1), make_row(2)])
    path = tmp_path / "c.csv"
    path.write_text(text[:-cut])
    with pytest.raises(InputError, match="is cut off in the row that begins in line 3"):
        read(path)


def test_a_file_may_end_without_a_line_break(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(export_text([make_row(1), make_row(2)])[:-1])
    assert len(read(path)[0]) == 2


def test_a_gzip_file_that_was_cut_off_is_an_error(tmp_path):
    path = tmp_path / "c.csv.gz"
    path.write_bytes(gzip.compress(export_text([make_row(1)] * 50).encode())[:-20])
    with pytest.raises(InputError, match="damaged gzip file"):
        read(path)


def test_a_file_without_the_columns_is_refused(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("classification_id,user_name\n1,annie\n")
    with pytest.raises(InputError, match="first line lacks user_id, user_ip, workflow_id"):
        read(path)


def test_columns_come_in_any_order_and_more_than_are_needed(tmp_path):
    columns = [*reversed(COLUMNS), "note"]
    path = write_export(tmp_path / "c.csv", [{**make_row(1), "note": "x"}], columns)
    (found,), faults, _ = read(path)
    assert faults == []
    assert found.row.user_name == "annie"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda name, words: make_row(
                1, user_name=name, workflow_name=words, annotations=[{"value": words}]
            ),
            st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text),
            st.text(max_size=30).filter(lambda text: "\0" not in text),
        ),
        max_size=4,
    )
)
def test_what_is_written_is_read_again(tmp_path_factory, rows):
    rows = [{**row, "classification_id": str(n)} for n, row in enumerate(rows, start=1)]
    path = tmp_path_factory.mktemp("export") / "c.csv.gz"
    assert write_rows(path, (ClassificationRow(**row) for row in rows), ClassificationRow) == len(
        rows
    )
    found, faults, _ = read(path)
    assert faults == []
    assert [vars(each.row) for each in found] == rows


def test_subjects_and_workflows_are_written_and_read(tmp_path):
    subject = SubjectRow("1", "2", "3", "4", '{"#a":1}', "{}", "5", "", "", "t", "t")
    workflow = WorkflowRow(*map(str, range(1, 18)))
    write_rows(tmp_path / "s.csv", [subject], SubjectRow)
    write_rows(tmp_path / "w.csv", [workflow], WorkflowRow)
    assert list(read_subjects(tmp_path / "s.csv")) == [subject]
    assert list(read_workflows(tmp_path / "w.csv")) == [workflow]
    with pytest.raises(InputError, match="is no subject export of Zooniverse"):
        list(read_subjects(tmp_path / "w.csv"))


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "n_rows", "n_people", "n_subjects", "kinds"),
    [
        ("andromeda_aas229", 63, 3, 16, {"drawing": 51, "empty": 12, "single": 2}),
        ("cat_project", 153, 19, 30, {"drawing": 143, "empty": 10}),
        (
            "kenya_survey",
            2000,
            71,
            1694,
            {"empty": 1060, "multiple": 1014, "survey": 994, "single": 134, "drawing": 85},
        ),
        ("michigan_survey", 2000, 31, 1536, {"survey": 2000, "single": 2000}),
    ],
)
def test_real_exports_are_read_and_written_byte_by_byte(
    real_data, name, n_rows, n_people, n_subjects, kinds
):
    path = real_data / "zooniverse_raw_exports" / f"{name}_classifications.csv.gz"
    found, faults, file = read(path)
    assert faults == []
    assert (len(found), file.n_rows, file.n_repeated) == (n_rows, n_rows, 0)
    assert len({each.volunteer for each in found}) == n_people
    assert len({each.subject_ids for each in found}) == n_subjects
    assert all(each.seconds is not None for each in found)
    counted = [one.kind.value for each in found for one in each.annotations]
    assert {kind: counted.count(kind) for kind in set(counted)} == kinds
    text = "".join(table_text((each.row for each in found), ClassificationRow))
    assert text == gzip.decompress(path.read_bytes()).decode()
