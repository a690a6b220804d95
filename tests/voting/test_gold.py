"""Gold subjects look like all others until they are answered; then a volunteer is told."""

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from protozoo.pipeline.simulation import campaign_simulate
from protozoo.voting.exceptions import ProposalError
from protozoo.voting.models import Campaign, Item
from protozoo.voting.selectors import campaign_progress, question_newest
from protozoo.voting.services import gold_add, question_revise
from tests.factories import make_campaign, make_grid, make_single, make_sorting

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    return make_campaign(sorting=make_sorting(n_subjects=30, n_audit=4), slug="radio")


@pytest.fixture
def subjects(campaign):
    return list(campaign.sorting.survey.subjects.filter(is_audit=False)[:5])


@pytest.fixture
def client(campaign):
    client = APIClient()
    client.post(f"/api/campaigns/{campaign.slug}/next/", {})
    return client


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "gold.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    return write


# Seen by volunteers -------------------------------------------------------------------------
def test_a_gold_item_passes_for_a_subject(client, campaign):
    Campaign.objects.update(share_gold=0.99, share_audit=0, share_chance=0)
    gold = make_single(campaign, "gold", label="bent")
    for _ in range(5):  # 0.01 ** 5 is the chance of none
        answer = client.post(f"/api/campaigns/{campaign.slug}/next/", {"count": 3})
        shown = {item["id"]: item for item in answer.json()["items"]}
        if gold.pk in shown:
            break
    assert shown[gold.pk]["kind"] == "subject"
    assert (shown[gold.pk]["label"], shown[gold.pk]["label_title"]) == (None, None)
    assert b"bent" not in answer.content
    assert b"gold" not in answer.content


@pytest.mark.parametrize(("answer", "is_right"), [("bent", True), ("frii", False)])
def test_the_answer_to_a_vote_tells_whether_it_was_right(
    client, campaign, ballot, answer, is_right
):
    gold = make_single(campaign, "gold", label="bent")
    body = ballot(gold, path=[answer])
    told = {"label": "bent", "label_title": "Bent", "is_right": is_right}
    first = client.post("/api/votes/", body)
    assert first.status_code == 201
    assert first.json()["gold"] == told
    assert client.post("/api/votes/", body).json()["gold"] == told
    assert client.get("/api/votes/mine/").json()["results"][0]["gold"] == told


def test_the_feedback_is_worded_as_the_question_was(client, campaign, ballot):
    gold = make_single(campaign, "gold", label="bent")
    client.post("/api/votes/", ballot(gold))
    tree = question_newest(campaign).tree
    tree["questions"]["shape"]["answers"][3]["label"] = "Crooked"
    question_revise(campaign=campaign, tree=tree)
    assert client.get("/api/votes/mine/").json()["results"][0]["gold"]["label_title"] == "Bent"


def test_gold_is_no_part_of_the_way(campaign):
    n_items = campaign.items.count()
    gold = make_single(campaign, "gold", label="bent")
    Item.objects.filter(pk=gold.pk).update(retired_at=timezone.now())
    progress = campaign_progress(campaign)
    assert (progress.n_items, progress.n_retired) == (n_items, 0)


def test_simulated_volunteers_answer_gold_and_grids(campaign):
    campaign.share_gold = 0.3
    campaign.save()
    gold = make_single(campaign, "gold", label="fri")
    grid = make_grid(campaign, priority=9.0)
    subjects = campaign.sorting.survey.subjects.values_list("pk", flat=True)
    truth = dict.fromkeys(subjects, "fri")
    assert campaign_simulate(campaign=campaign, truth=truth) > 0
    assert campaign_simulate(campaign=campaign, truth=truth) == 0
    assert gold.votes.count() > 0
    assert grid.votes.exists()


# Adding -------------------------------------------------------------------------------------
def test_subjects_become_gold_once_and_labels_are_corrected(campaign, subjects):
    keys = [subject.pk for subject in subjects]
    assert gold_add(campaign=campaign, labels=dict.fromkeys(keys[:3], "fri")) == 3
    assert gold_add(campaign=campaign, labels=dict.fromkeys(keys[2:4], "bent")) == 1
    gold = campaign.items.filter(kind="gold").order_by("subject")
    assert list(gold.values_list("label", flat=True)) == ["fri", "fri", "bent", "bent"]


def test_a_seed_gives_gold_the_same_places_in_the_queue(campaign, subjects):
    orders = []
    for _ in range(2):
        gold_add(campaign=campaign, labels={one.pk: "fri" for one in subjects}, seed=7)
        gold = campaign.items.filter(kind=Item.Kind.GOLD).order_by("subject")
        orders.append(list(gold.values_list("order", flat=True)))
        gold.delete()
    assert orders[0] == orders[1]
    assert len(set(orders[0])) == len(subjects)


def test_what_cannot_be_gold_is_refused(campaign, subjects):
    audit = campaign.items.filter(kind="audit")[0].subject_id
    with pytest.raises(ProposalError, match=f"Subject {audit} belongs to the audit sample"):
        gold_add(campaign=campaign, labels={audit: "fri"})
    with pytest.raises(ProposalError, match="got 'mixed'"):
        gold_add(campaign=campaign, labels={subjects[0].pk: "mixed"})
    with pytest.raises(ProposalError, match="Subject 999999 has no place on the campaign's map"):
        gold_add(campaign=campaign, labels={999_999: "fri"})
    assert not campaign.items.filter(kind="gold").exists()


# The command --------------------------------------------------------------------------------
def test_a_table_adds_gold(campaign, subjects, table, capsys):
    rows = [f"{subject.identifier},x, fri " for subject in subjects]
    path = table("\ufeffid,note,label\r\n" + "\r\n".join(rows) + "\r\n")
    call_command("gold_add", "radio", path)
    call_command("gold_add", "radio", path)
    assert capsys.readouterr().out == (
        "Campaign radio has 5 new gold subjects; the table names 5.\n"
        "Campaign radio has 0 new gold subjects; the table names 5.\n"
    )
    gold = campaign.items.filter(kind="gold")
    assert set(gold.values_list("subject", "label")) == {(each.pk, "fri") for each in subjects}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("S00000,fri\nnobody,fri\n", "gold.csv, row 3: survey .* has no subject 'nobody'."),
        ("S00000,fri\nS00001,spiral\n", "row 3, S00001: A label is one of .*; got 'spiral'."),
        ("S00000,fri\nS00001\n", "row 3, S00001: A label is one of .*; got ''."),
        ("S00000,fri\n\n,fri\n", "row 3: survey .* has no subject ''."),
        ("S00000,fri\nS00000,fri\n", "row 3: S00000 stands in an earlier row already."),
        ("S00029,fri\n", "row 2, S00029: .*belongs to the audit sample"),
        ('"S00000,fri\n', "The table .* cannot be read: "),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_added(campaign, table, rows, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("gold_add", "radio", table("id,label\n" + rows))
    assert not campaign.items.filter(kind="gold").exists()


@pytest.mark.parametrize("text", ["", "identifier,label\nS00000,fri\n", "id;label\n"])
def test_missing_columns_are_named(campaign, table, text):
    with pytest.raises(CommandError, match=r"gold\.csv needs the columns id and label"):
        call_command("gold_add", "radio", table(text))


def test_a_file_that_is_not_there_is_named(campaign, tmp_path, table):
    with pytest.raises(CommandError, match=r"nowhere\.csv cannot be read"):
        call_command("gold_add", "radio", str(tmp_path / "nowhere.csv"))
    with pytest.raises(CommandError, match=r"gold\.csv cannot be read"):
        call_command("gold_add", "radio", table(b"id,label\n\xff,fri\n"))


def test_a_campaign_that_is_not_there_is_named(table):
    with pytest.raises(CommandError, match="There is no campaign 'nowhere'"):
        call_command("gold_add", "nowhere", table("id,label\n"))
