"""Our own answers leave in Zooniverse's columns, and make the same votes elsewhere."""

import csv
import json

import pytest
from django.core.management import CommandError, call_command

from protozoo.voting.models import Vote
from protozoo.voting.services import campaign_open, gold_add
from protozoo.voting.trees import default_tree
from protozoo.voting.votes import vote_record
from protozoo.voting.zooniverse.exports import zooniverse_export
from protozoo.voting.zooniverse.imports import zooniverse_import
from skysort.zooniverse.classifications import ClassificationFile, Kind
from skysort.zooniverse.rows import (
    ClassificationRow,
    SubjectRow,
    WorkflowRow,
    columns_of,
    read_subjects,
    read_workflows,
)
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_grid,
    make_single,
    make_volunteer,
    make_vote,
    make_williamina,
)
from tests.zooniverse.exports import make_row, write_export

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_campaign(slug="first", title="=Radio shapes")


@pytest.fixture
def answered(campaign):
    """Answer items of all kinds in all ways."""
    people = [make_volunteer(), make_volunteer(), make_volunteer(is_simulated=True)]
    grid = make_grid(campaign)
    members = list(grid.members.values_list("subject_id", flat=True))
    gold = make_single(campaign, "gold", label="bent")
    items = {item.kind: item for item in campaign.items.order_by("-pk")}
    roles = default_tree()["marks"]
    point = next(role for role in roles if role["shape"] == "point")
    marks = [{"role": point["key"], "shape": "point", "x_arcsec": 3.6, "y_arcsec": -1.8}]
    for person in people:
        make_vote(items["prototype"], volunteer=person, answer="mixed")
        make_vote(items["outlier"], volunteer=person, answer="other", seconds=2.125, marks=marks)
    make_vote(
        items["audit"], volunteer=people[0], answer="unknown", comment="Faint, \u201cso\u201d"
    )
    make_vote(gold, volunteer=people[0], answer="bent", tags=["x shaped", "odd"], is_strange=True)
    sorted_out = {"answer": "sorted", "path": []}
    make_vote(grid, volunteer=people[1], ticked=members[:2], **sorted_out)
    make_vote(grid, volunteer=people[2], ticked=[], answer="too_mixed", path=[])
    return campaign


@pytest.fixture
def tables(answered, tmp_path):
    zooniverse_export(campaign=answered, folder=tmp_path / "out", site="https://zoo.example")
    return tmp_path / "out"


def ballots(campaign):
    """Give all that counts of the votes, without the keys that a site gives."""
    people: dict[int, int] = {}
    found = []
    for vote in Vote.objects.filter(item__campaign=campaign).order_by("pk"):
        item = vote.item
        shown = item.prototype or item.subject
        members = [member.subject.identifier for member in item.members.all()]
        found.append(
            (
                item.kind, str(shown), item.label, members, vote.path, vote.answer, vote.ticked,
                vote.seconds, vote.answered_at, vote.tags, vote.is_strange, vote.comment,
                vote.marks, people.setdefault(vote.volunteer_id, len(people)),
                vote.volunteer.is_simulated,
            )
        )  # fmt: skip
    return found


def test_the_tables_have_the_columns_of_zooniverse(tables):
    for name, kind in (
        ("classifications", ClassificationRow),
        ("subjects", SubjectRow),
        ("workflows", WorkflowRow),
    ):
        with (tables / f"{name}.csv").open(newline="") as file:
            assert next(csv.reader(file)) == columns_of(kind)


def test_a_fresh_campaign_gets_the_same_votes(answered, tables):
    fresh = campaign_open(sorting=answered.sorting, slug="fresh", title="Fresh")
    found = zooniverse_import(campaign=fresh, path=tables / "classifications.csv")
    assert (found.n_rows, found.n_votes, found.n_volunteers) == (10, 10, 3)
    assert ballots(fresh) == ballots(answered)
    voted = {(i.kind, i.prototype_id, i.subject_id): i.n_votes for i in fresh.items.all()}
    for item in answered.items.filter(n_votes__gt=0):
        assert voted[item.kind, item.prototype_id, item.subject_id] == item.n_votes


def test_an_export_comes_home_to_nothing_new(answered, tables):
    before = ballots(answered)
    found = zooniverse_import(campaign=answered, path=tables / "classifications.csv")
    assert (found.n_own, found.n_new, found.n_votes) == (10, 0, 0)
    assert ballots(answered) == before


def test_an_export_of_an_import_keeps_numbers_apart(answered, tables, tmp_path):
    fresh = campaign_open(sorting=answered.sorting, slug="fresh", title="Fresh")
    zooniverse_import(campaign=fresh, path=tables / "classifications.csv")
    item = fresh.items.filter(kind="prototype", n_votes=0)[0]
    make_vote(item, answer="frii")
    zooniverse_export(campaign=fresh, folder=tmp_path)
    faults = []
    found = list(ClassificationFile(tmp_path / "classifications.csv", on_fault=faults.append))
    assert (len(found), faults) == (11, [])
    assert (
        (tmp_path / "classifications.csv")
        .read_text()
        .startswith((tables / "classifications.csv").read_text())
    )


def test_without_the_same_map_votes_on_subjects_alone_come(answered, tables):
    answered.sorting.map_checksum = "1" * 64
    answered.sorting.save()
    fresh = campaign_open(sorting=answered.sorting, slug="fresh", title="Fresh")
    found = zooniverse_import(campaign=fresh, path=tables / "classifications.csv")
    assert (found.n_votes, found.outcomes["subject"]) == (5, 5)


def test_tools_of_zooniverse_see_tasks_with_words(tables):
    found = list(ClassificationFile(tables / "classifications.csv", on_fault=print))
    by_kind = {one.metadata["protozoo"]["kind"]: one for one in found}
    assert by_kind["prototype"].annotations[0].choices == ["Mixed group"]
    outlier = by_kind["outlier"]
    assert outlier.seconds == pytest.approx(2.125, abs=1e-3)
    assert [note.task for note in outlier.annotations] == ["shape", "MARKS"]
    mark = outlier.annotations[1]
    assert mark.kind == Kind.DRAWING
    assert (mark.value[0]["x"], mark.value[0]["y"]) == (10.0, 9.0)  # 8 is the center
    gold = by_kind["gold"]
    assert [(note.task, note.value) for note in gold.annotations] == [
        ("shape", "Bent"),
        ("TAGS", "x shaped, odd"),
        ("STRANGE", "Yes"),
    ]
    grid = next(one for one in found if len(one.subject_ids) > 1)
    assert grid.annotations[0].kind == Kind.MULTIPLE
    names = [one["identifier"] for one in grid.subject_data.values()]
    assert grid.annotations[0].choices == names[:2]


def test_people_bear_pseudonyms_that_stay(answered, tables, tmp_path):
    zooniverse_export(campaign=answered, folder=tmp_path / "again")
    again = (tmp_path / "again" / "classifications.csv").read_bytes()
    assert again == (tables / "classifications.csv").read_bytes()
    rows = list(csv.DictReader(again.decode().splitlines()))
    assert len({row["user_name"] for row in rows}) == 3
    assert all(row["user_name"].startswith("volunteer-") for row in rows)
    assert {row["user_id"] + row["user_ip"] for row in rows} == {""}
    tokens = [str(vote.volunteer.token) for vote in Vote.objects.select_related("volunteer")]
    assert not any(token in again.decode() for token in tokens)


def test_our_own_words_do_not_calculate(tables):
    row = next(iter(read_workflows(tables / "workflows.csv")))
    assert row.display_name == "'=Radio shapes"
    with (tables / "classifications.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row
    )


def test_subjects_are_told_once_each_with_their_pictures(answered, tables):
    rows = list(read_subjects(tables / "subjects.csv"))
    assert len({row.subject_id for row in rows}) == len(rows)
    metadata = [json.loads(row.metadata) for row in rows]
    assert {one["identifier"] for one in metadata if "identifier" in one} == {
        *answered.items.filter(subject__isnull=False).values_list("subject__identifier", flat=True),
        *answered.items.filter(kind="grid").values_list("members__subject__identifier", flat=True),
    }
    assert sum("prototype" in one for one in metadata) == 5
    assert all(json.loads(row.locations)["0"].startswith("https://zoo.example/") for row in rows)
    told = {row.subject_id for row in rows}
    for one in ClassificationFile(tables / "classifications.csv", on_fault=print):
        assert told.issuperset(one.subject_ids)


def test_the_workflow_tells_tasks_and_words(answered, tables):
    (row,) = read_workflows(tables / "workflows.csv")
    tasks, strings = json.loads(row.tasks), json.loads(row.strings)
    assert (row.first_task, row.version, row.classifications_count) == ("shape", "1", "10")
    labels = [strings[answer["label"]] for answer in tasks["shape"]["answers"]]
    assert labels[:3] == ["Compact", "FR I", "FR II"]
    assert {"GRID", "TAGS", "COMMENT", "STRANGE", "MARKS"} < set(tasks)
    assert [strings[tool["label"]] for tool in tasks["MARKS"]["tools"]] == [
        role["label"] for role in default_tree()["marks"]
    ]


def test_a_changed_answer_leaves_only_the_new_one(campaign, ballot, tmp_path):
    item, person = campaign.items.filter(kind="outlier")[0], make_volunteer()
    first = make_vote(item, volunteer=person, answer="fri")
    vote_record(
        volunteer=person,
        item_id=item.pk,
        question_version=1,
        path=["frii"],
        client_uuid=ballot(item)["client_uuid"],
        supersedes=first.client_uuid,
        seconds=1,
        answered_at=first.answered_at,
    )
    assert zooniverse_export(campaign=campaign, folder=tmp_path)["classifications"] == 1
    (row,) = ClassificationFile(tmp_path / "classifications.csv", on_fault=print)
    assert row.annotations[0].choices == ["FR II"]


def test_own_votes_name_a_subject_as_zooniverse_does(campaign, tmp_path):
    rows = [make_row(1, answer="Bent"), make_row(2, answer="Bent", subject="11;12", user="bob")]
    path = write_export(tmp_path / "in.csv", rows)
    zooniverse_import(campaign=campaign, path=path)
    item = campaign.items.get(subject__identifier="S00011", kind="subject")
    make_vote(item, answer="fri")
    zooniverse_export(campaign=campaign, folder=tmp_path)
    found = list(ClassificationFile(tmp_path / "classifications.csv", on_fault=print))
    assert [one.subject_ids for one in found] == [("11",), ("11", "12"), ("11",)]
    subjects = {row.subject_id: row for row in read_subjects(tmp_path / "subjects.csv")}
    assert subjects["11"].metadata == '{"#Filename":"S00011.png"}'
    counts = [subjects[key].classifications_count for key in ("11", "12")]
    assert counts == ["2", "1"]
    text = (tmp_path / "subjects.csv").read_text()
    assert text.count("\n11,") == 1


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"path": ["nonsense"]}, "answer"),
        ({"marks": [{"role": "nobody", "shape": "point"}]}, "other"),
        ({"subjects": ["S99999"]}, "subject"),
        ({"tags": ["x" * 99]}, "other"),
    ],
)
def test_a_row_that_was_tampered_with_makes_no_vote(campaign, tmp_path, change, outcome):
    make_vote(campaign.items.filter(kind="outlier")[0], answer="fri")
    zooniverse_export(campaign=campaign, folder=tmp_path)
    with (tmp_path / "classifications.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    metadata = json.loads(row["metadata"])
    metadata["protozoo"] |= change
    path = write_export(tmp_path / "bad.csv", [row | {"metadata": json.dumps(metadata)}])
    fresh = campaign_open(sorting=campaign.sorting, slug="fresh", title="Fresh")
    found = zooniverse_import(campaign=fresh, path=path)
    assert found.outcomes == {outcome: 1}


def test_gold_is_gold_once(campaign, tmp_path):
    gold = make_single(campaign, "gold", label="bent")
    make_vote(gold, answer="bent")
    zooniverse_export(campaign=campaign, folder=tmp_path)
    fresh = campaign_open(sorting=campaign.sorting, slug="fresh", title="Fresh")
    gold_add(campaign=fresh, labels={gold.subject_id: "fri"})
    zooniverse_import(campaign=fresh, path=tmp_path / "classifications.csv")
    assert fresh.items.get(kind="gold").votes.count() == 1


def test_the_command_writes_the_tables(answered, tmp_path, capsys):
    call_command("zooniverse_export", "first", folder=str(tmp_path / "new"))
    assert f"{tmp_path / 'new' / 'workflows'}.csv: 1 rows" in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is no campaign 'none'"):
        call_command("zooniverse_export", "none", folder=str(tmp_path))
    with pytest.raises(CommandError, match="cannot be written to"):
        call_command("zooniverse_export", "first", folder="/proc/nowhere")


def test_scientists_download_the_tables(answered, tables, client):
    client.force_login(make_williamina())
    page = client.get("/campaigns/first/").content.decode()
    for name in ("classifications", "subjects", "workflows"):
        address = f"/campaigns/first/zooniverse/{name}.csv"
        assert address in page
        answer = client.get(address)
        assert answer["Content-Disposition"] == f'attachment; filename="first-{name}.csv"'
        text = b"".join(answer.streaming_content).decode()
        expected = (tables / f"{name}.csv").read_text()
        assert text == expected.replace("https://zoo.example/", "http://testserver/")
    assert client.get("/campaigns/first/zooniverse/people.csv").status_code == 404
    assert client.get("/campaigns/none/zooniverse/subjects.csv").status_code == 404


@pytest.mark.parametrize(("make", "status"), [(None, 302), (make_annie, 403), (make_charlie, 403)])
def test_nobody_else_gets_them(campaign, client, make, status):
    if make is not None:
        client.force_login(make())
    assert client.get("/campaigns/first/zooniverse/classifications.csv").status_code == status
    assert "zooniverse/" not in client.get("/campaigns/first/").content.decode()


def test_tables_are_the_same_in_every_language(answered, tables, client):
    client.force_login(make_williamina())
    german = client.get(
        "/campaigns/first/zooniverse/classifications.csv", headers={"accept-language": "de"}
    )
    text = b"".join(german.streaming_content)
    assert text == (tables / "classifications.csv").read_bytes()
