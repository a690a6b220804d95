"""Classifications of Zooniverse are kept as they came, and become votes where they can."""

import csv
import gzip
import json
from collections import Counter

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from protozoo.accounts.models import Volunteer
from protozoo.consensus.services import consensus_run
from protozoo.jobs.models import Job
from protozoo.subjects.services import SurveyAbout, SurveyFiles, survey_import
from protozoo.voting.exceptions import ZooniverseError
from protozoo.voting.models import Vote, ZooniverseClassification
from protozoo.voting.trees import tree_check
from protozoo.voting.zooniverse.exports import zooniverse_export
from protozoo.voting.zooniverse.imports import ZooniverseChoices, zooniverse_import
from skysort.zooniverse.answers import Tasks
from skysort.zooniverse.classifications import ClassificationFile
from skysort.zooniverse.question_trees import tree_of_chain, tree_of_task
from tests.factories import make_campaign, make_edward, make_sorting, make_subjects, make_survey
from tests.zooniverse.exports import export_text, make_row, write_export

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    """Ask of S00000 to S00029, of which the last four are the audit sample."""
    return make_campaign(slug="shapes", votes_to_retire=2)


@pytest.fixture
def bring(campaign, tmp_path):
    def bring(rows, *, into=None, is_rehearsal=False, **choices):
        path = write_export(tmp_path / "export.csv", rows)
        return zooniverse_import(
            campaign=into or campaign,
            path=path,
            choices=ZooniverseChoices(**choices),
            is_rehearsal=is_rehearsal,
        )

    return bring


def outcomes(campaign):
    rows = campaign.zooniverse_classifications.values_list("classification_id", "outcome")
    return dict(rows)


def test_an_answer_becomes_a_vote_of_a_volunteer_without_account(campaign, bring):
    found = bring([make_row(5, answer="**FR II**")])
    vote = Vote.objects.get(item__campaign=campaign)
    assert (vote.item.kind, vote.item.subject.identifier) == ("subject", "S00011")
    assert (vote.answer, vote.path, vote.question.version) == ("frii", ["frii"], 1)
    assert (vote.seconds, vote.answered_at.isoformat()) == (14.5, "2017-01-06T20:36:55+00:00")
    assert vote.volunteer.user is None
    assert not vote.volunteer.is_simulated
    assert vote.volunteer.zooniverse_volunteer.key == "user-1005"
    assert vote.zooniverse_classification.classification_id == 5
    assert (found.n_new, found.n_votes, found.n_volunteers) == (1, 1, 1)
    assert (vote.item.n_votes, vote.item.retired_at) == (1, None)


def test_votes_are_counted_and_retire_their_items(campaign, bring):
    bring([make_row(n, user=f"u{n:0{n}}", answer="Bent") for n in (1, 2, 3)])
    item = campaign.items.get(subject__identifier="S00011", kind="subject")
    assert (item.n_votes, item.retired_because) == (3, "count")


def test_one_person_is_one_volunteer_and_their_first_answer_counts(campaign, bring):
    rows = [
        make_row(1, answer="Bent"),
        make_row(2, answer="FR I"),
        make_row(3, answer="FR I", subject="12", user_name="another name"),
        make_row(4, answer="FR I", user="not-logged-in-77"),
    ]
    bring(rows)
    votes = Vote.objects.order_by("zooniverse_classification__classification_id")
    assert [(v.answer, v.volunteer.zooniverse_volunteer.key) for v in votes] == [
        ("bent", "user-1005"),
        ("fri", "user-1005"),
        ("fri", "not-logged-in-77"),
    ]
    assert Volunteer.objects.count() == 2
    assert outcomes(campaign)[2] == "repeated"


def test_nothing_is_lost_whatever_it_is(campaign, bring, tmp_path):
    rows = [
        make_row(1, answer="FR II"),
        make_row(2, answer="A cat", user="bob"),
        make_row(3, answer=["FR I", "Bent"], user="bob"),
        make_row(4, answer=[{"tool": 0, "x": 1.25, "y": 3}], user="bob"),
        make_row(5, answer=None, user="bob"),
        make_row(6, annotations=[{"task": "T0", "value": "words", "taskType": "text"}]),
        make_row(7, annotations=[], subject="12", workflow_name="=1+1 \u2605\u2028"),
        make_row(8, answer="FR I", subject="4004"),
        make_row(9, answer="FR I", subject="12;13"),
        make_row(10, answer="FR I", workflow_id="8"),
        make_row(11, answer={"any": ["thing"]}, gold_standard="True", expert="owner"),
    ]
    found = bring(rows, task="T0", workflow="7")
    assert outcomes(campaign) == {
        1: "vote", 2: "answer", 3: "several", 4: "drawing", 5: "empty", 6: "text", 7: "task",
        8: "subject", 9: "subject", 10: "workflow", 11: "other",
    }  # fmt: skip
    assert found.unknown_labels == {"A cat": 1}
    assert zooniverse_export(campaign=campaign, folder=tmp_path)["classifications"] == 11
    assert (tmp_path / "classifications.csv").read_bytes() == export_text(rows).encode()


def test_importing_again_adds_only_what_is_new(campaign, bring):
    rows = [make_row(1, answer="FR II"), make_row(2, answer="Bent", user="bob")]
    bring(rows)
    again = bring([*rows, make_row(3, answer="Bent", user="dorothea")])
    assert (again.n_new, again.n_known, again.n_votes, again.n_volunteers) == (1, 2, 1, 1)
    assert campaign.zooniverse_classifications.count() == Vote.objects.count() == 3
    assert campaign.items.get(subject__identifier="S00011", kind="subject").n_votes == 3


def test_rows_without_a_vote_are_tried_again(campaign, bring):
    rows = [make_row(1, answer="Blob"), make_row(2, answer="Odd"), make_row(3, answer="No")]
    assert bring(rows).n_votes == 0
    answers = {"blob": "compact", "Odd": "other", "No": None}
    again = bring(rows, answers=answers)
    assert (again.n_new, again.n_known, again.n_votes) == (0, 3, 1)
    assert outcomes(campaign) == {1: "vote", 2: "repeated", 3: "answer"}


def test_a_rehearsal_reports_and_writes_nothing(campaign, bring):
    n_items = campaign.items.count()
    found = bring([make_row(1, answer="FR II"), make_row(2, answer="Bent")], is_rehearsal=True)
    assert (found.n_votes, found.outcomes["repeated"]) == (1, 1)
    assert not Vote.objects.exists()
    assert not ZooniverseClassification.objects.exists()
    assert not Volunteer.objects.exists()
    assert campaign.items.count() == n_items


def test_an_audit_subject_is_answered_as_such(campaign, bring):
    subject = campaign.sorting.survey.subjects.filter(is_audit=True)[0]
    data = {"77": {"identifier": subject.identifier}}
    bring([make_row(1, answer="Bent", subject="77", subject_data=data)])
    assert Vote.objects.get().item == campaign.items.get(kind="audit", subject=subject)


@pytest.mark.parametrize("match", ["source", "#Source"])
def test_subjects_are_matched_by_a_column(campaign, bring, match):
    data = {"9": {"//source": "cutouts/S00003.fits", "filename": "S00004.png"}}
    bring([make_row(1, answer="Bent", subject="9", subject_data=data)], match=match)
    assert Vote.objects.get().item.subject.identifier == "S00003"


def test_subjects_are_matched_by_the_id_that_a_manifest_kept(bring):
    survey = make_survey()
    subjects = make_subjects(3, survey=survey)
    for number, subject in enumerate(subjects, start=500):
        subject.columns = {"subject_id": number}
        subject.save()
    campaign = make_campaign(sorting=make_sorting(survey=survey, n_audit=0), n_outliers=0)
    bring([make_row(1, answer="Bent", subject="501", subject_data={})], into=campaign)
    assert Vote.objects.get().item.subject == subjects[1]


def test_an_answer_for_groups_alone_is_none_on_a_subject(campaign, bring):
    bring([make_row(1, answer="Mixed group")])
    assert outcomes(campaign) == {1: "answer"}


def test_answers_to_several_tasks_follow_the_tree(campaign, bring, tmp_path):
    def answered(number, *values, user):
        tasks = [{"task": f"T{n}", "value": value} for n, value in enumerate(values)]
        return make_row(number, annotations=tasks, user=user)

    rows = [
        answered(1, "Yes", "Round", user="a"),
        answered(2, "Yes", "Long", user="bb"),
        answered(3, "No", user="ccc"),
    ]
    tasks = Tasks()
    for each in ClassificationFile(write_export(tmp_path / "e.csv", rows), on_fault=print):
        tasks.add(each)
    tree = tree_check(tree_of_chain(tasks.choices()))
    chained = make_campaign(sorting=campaign.sorting, tree=tree)
    bring(rows, into=chained)
    votes = Vote.objects.filter(item__campaign=chained).order_by("pk")
    assert [vote.path for vote in votes] == [["yes", "round"], ["yes", "long"], ["no"]]


def test_times_are_held_to_what_can_be(campaign, bring):
    slow = {"started_at": "2017-01-06T20:00:00Z", "finished_at": "2017-01-07T20:00:00Z"}
    rows = [
        make_row(1, answer="Bent", metadata=slow, created_at="2999-01-01 00:00:00 UTC"),
        make_row(2, answer="Bent", metadata={}, user="bob"),
    ]
    bring(rows)
    first, second = Vote.objects.order_by("pk")
    assert (first.seconds, second.seconds) == (600.0, 0.0)
    assert first.answered_at <= first.received_at


def test_imported_votes_reach_the_merge(campaign, bring):
    rows = [
        make_row(n, user="u" * n, subject=str(subject), answer="Bent")
        for n, subject in enumerate([11, 11, 12, 13, 14], start=1)
    ]
    bring(rows)
    assert consensus_run(campaign=campaign).n_votes == 5


def test_a_choice_between_tasks_is_asked_for(campaign, bring):
    both = [{"task": "T1", "value": "Dog"}, {"task": "T2", "value": "Cat"}]
    with pytest.raises(ZooniverseError, match=r"choose one with --workflow and --task: T1 of"):
        bring([make_row(1, annotations=both)])
    assert not ZooniverseClassification.objects.exists()


def test_the_task_whose_labels_fit_is_taken(campaign, bring):
    both = [{"task": "T1", "value": "Dog"}, {"task": "T2", "value": "Bent"}]
    assert bring([make_row(1, annotations=both)]).task == "T2"


def test_an_answer_that_names_no_leaf_is_refused(bring):
    with pytest.raises(ZooniverseError, match="The question has no leaf 'spiral'; its leaves are"):
        bring([make_row(1)], answers={"Smooth": "spiral"})


def test_a_file_that_is_cut_off_brings_nothing(campaign, tmp_path):
    path = tmp_path / "c.csv"
    path.write_text(export_text([make_row(n) for n in range(1, 9)])[:-99])
    with pytest.raises(ZooniverseError, match="is cut off in the row that begins in line 9"):
        zooniverse_import(campaign=campaign, path=path)
    assert not ZooniverseClassification.objects.exists()


def test_batches_share_volunteers_and_items(campaign, bring, monkeypatch):
    monkeypatch.setattr("protozoo.voting.zooniverse.imports.BATCH_SIZE", 2)
    rows = [make_row(n, user="u" * (n % 3 + 1), answer="Bent") for n in range(1, 8)]
    found = bring(rows)
    assert (found.n_votes, found.outcomes["repeated"], found.n_volunteers) == (3, 4, 3)


def test_the_command_tells_what_became_of_the_rows(campaign, tmp_path, capsys):
    rows = [make_row(1, answer="Bent"), make_row(2, answer="Cat"), make_row(3, created_at="x")]
    path = write_export(tmp_path / "c.csv", rows)
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"bent": "bent"}))
    call_command("zooniverse_import", "shapes", str(path), answers=str(answers))
    said = capsys.readouterr().out
    assert "3 rows read: 2 new, 0 known, 1 new votes, 1 new volunteers; 1 of 1 subjects" in said
    assert "1 kept without a vote: the campaign's question has no such answer" in said
    assert "1 times 'Cat'" in said
    assert "c.csv, line 4, column created_at: it must be a time" in said
    assert Job.objects.get().arguments == {"campaign_id": campaign.pk}
    call_command("zooniverse_import", "shapes", str(path), dry_run=True)
    assert capsys.readouterr().out.endswith("Nothing was written.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none", "c.csv"], "There is no campaign 'none'"),
        (["shapes", "none.csv"], "none.csv is no file"),
        (["shapes", "c.csv", "--answers", "none.json"], "The answers none.json cannot be read"),
    ],
)
def test_the_command_says_what_is_wrong(campaign, arguments, said):
    with pytest.raises(CommandError, match=said):
        call_command("zooniverse_import", *arguments)


def test_operators_look_kept_rows_up(campaign, bring, client):
    bring([make_row(1, answer="Bent"), make_row(2, answer="Cat", user="bob")])
    client.force_login(make_edward())
    for model in ("zooniverseclassification", "zooniversevolunteer"):
        listed = client.get(f"/admin/voting/{model}/", {"q": "bob"})
        assert listed.status_code == 200
        assert listed.context["cl"].result_count == (model == "zooniverseclassification")


# Real exports -------------------------------------------------------------------------------
REAL = {
    # workflow and task that give votes, then rows, votes and volunteers
    "andromeda_aas229": ("3149", "T1", 63, 2, 1),
    "cat_project": ("", "", 153, 0, 0),
    "kenya_survey": ("2030", "T1", 2000, 136, 11),
    "michigan_survey": ("2276", "T3", 2000, 1996, 31),
}


def import_subjects(classifications, folder):
    """Import the subjects that were shown: their manifest, with made-up images and places."""
    shown = {key: data for one in classifications for key, data in one.subject_data.items()}
    columns = list(dict.fromkeys(name for data in shown.values() for name in data))
    columns = [name for name in columns if name.lower() not in {"!ra", "!dec"}]
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["zooniverse_id", "!RA", "!DEC", *columns])
        for number, (key, data) in enumerate(shown.items()):
            writer.writerow([key, number / 10, 5.0, *(data.get(name, "") for name in columns)])
    np.save(folder / "images.npy", np.ones((len(shown), 8, 8), np.float32))
    files = SurveyFiles(
        images=str(folder / "images.npy"),
        table=str(folder / "manifest.csv"),
        id_column="zooniverse_id",
    )
    about = SurveyAbout(image_size=8, audit_fraction=0)
    return survey_import(slug="real", files=files, about=about).survey


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_real_exports_come_and_go_without_loss(real_data, tmp_path, name):
    workflow, task, n_rows, n_votes, n_volunteers = REAL[name]
    choices = ZooniverseChoices(workflow=workflow, task=task)
    path = real_data / "zooniverse_raw_exports" / f"{name}_classifications.csv.gz"
    classifications = list(ClassificationFile(path, on_fault=print))
    tasks = Tasks()
    for one in classifications:
        tasks.add(one)
    survey = import_subjects(classifications, tmp_path)
    n_subjects = survey.subjects.count()
    assert n_subjects == len({one.row.subject_ids for one in classifications})
    chosen = tasks.choices(workflow=workflow, task=task)
    tree = tree_check(tree_of_task(chosen[0])) if chosen else None
    campaign = make_campaign(sorting=make_sorting(survey=survey), tree=tree, n_outliers=0)
    found = zooniverse_import(campaign=campaign, path=path, choices=choices)
    assert (found.n_rows, found.n_new, found.n_faults) == (n_rows, n_rows, 0)
    assert (found.n_subjects, found.n_subjects_known) == (n_subjects, n_subjects)
    assert (found.n_votes, found.n_volunteers) == (n_votes, n_volunteers)
    assert labels_of(campaign) == labels_by_hand(path, workflow, task)
    zooniverse_export(campaign=campaign, folder=tmp_path)
    with gzip.open(path) as file:
        assert (tmp_path / "classifications.csv").read_bytes() == file.read()
    again = zooniverse_import(campaign=campaign, path=path, choices=choices)
    assert (again.n_new, again.n_votes) == (0, 0)


def labels_of(campaign):
    votes = Vote.objects.filter(item__campaign=campaign)
    rows = votes.values_list("volunteer__zooniverse_volunteer__name", "item__subject", "answer")
    assert len({row[:2] for row in rows}) == len(rows)
    return Counter(answer for _, _, answer in rows)


def labels_by_hand(path, workflow, task):
    """Count each person's first single answer to each subject, by the plainest means."""
    first = {}
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            for note in json.loads(row["annotations"]):
                values = note["value"] if isinstance(note["value"], list) else [note["value"]]
                if (row["workflow_id"], note["task"]) == (workflow, task) and len(values) == 1:
                    value = values[0]["choice"] if isinstance(values[0], dict) else values[0]
                    if value is not None:
                        first.setdefault((row["user_name"], row["subject_ids"]), value)
    return Counter(value.lower().replace(" ", "_") for value in first.values())
