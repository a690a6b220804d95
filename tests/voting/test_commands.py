"""Commands open campaigns and revise their questions, and say plainly what is wrong."""

import json

import pytest
from django.core.management import CommandError, call_command

from protozoo.voting.models import Campaign
from protozoo.voting.selectors import question_newest
from protozoo.voting.trees import default_tree
from tests.factories import make_campaign, make_sorting

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree(tmp_path):
    """Write a tree with words of its own into a file."""
    asked = default_tree()
    asked["questions"]["shape"]["text"] = "What do you see?"
    path = tmp_path / "tree.json"
    path.write_text(json.dumps(asked))
    return path


def text_of(campaign):
    return question_newest(campaign).tree["questions"]["shape"]["text"]


def test_a_campaign_is_opened_with_a_tree_from_a_file(tree, capsys):
    sorting = make_sorting()
    call_command("campaign_open", "first", sorting=sorting.pk, title="First", tree=str(tree))
    campaign = Campaign.objects.get(slug="first")
    assert text_of(campaign) == "What do you see?"
    n_items = campaign.items.count()
    assert capsys.readouterr().out == f"Campaign first is open with {n_items} items.\n"


def test_a_draft_is_shown_to_nobody_until_it_is_opened(client, capsys):
    sorting = make_sorting()
    call_command(
        "campaign_open",
        "first",
        sorting=sorting.pk,
        title="First",
        draft=True,
        suggested_tags="Ring, x-shaped ,ring,",
    )
    campaign = Campaign.objects.get(slug="first")
    assert campaign.suggested_tags == ["ring", "x-shaped"]
    n_items = campaign.items.count()
    assert capsys.readouterr().out == f"Campaign first is a draft with {n_items} items.\n"
    assert client.get("/campaigns/first/").status_code == 404
    assert "/campaigns/first/" not in client.get(f"/sortings/{sorting.pk}/").content.decode()
    for draft in (True, False):
        call_command("campaign_open", "first", sorting=sorting.pk, title="First", draft=draft)
        assert (client.get("/campaigns/first/").status_code == 404) is draft
    campaign.refresh_from_db()
    assert (campaign.state, campaign.items.count()) == ("open", n_items)
    call_command("campaign_open", "first", sorting=sorting.pk, title="First", draft=True)
    assert client.get("/campaigns/first/").status_code == 200


def test_a_suggested_tag_that_is_too_long_is_refused():
    sorting = make_sorting()
    with pytest.raises(CommandError, match="A tag has at most 40 characters"):
        call_command(
            "campaign_open", "first", sorting=sorting.pk, title="First", suggested_tags="x" * 41
        )


def test_a_campaign_over_no_sorting_is_refused():
    with pytest.raises(CommandError, match="There is no sorting 7; sort a survey first"):
        call_command("campaign_open", "first", sorting=7, title="First")


def test_a_question_is_revised_from_a_file(tree, capsys):
    campaign = make_campaign(slug="first")
    call_command("question_revise", "first", str(tree))
    assert text_of(campaign) == "What do you see?"
    assert capsys.readouterr().out == "Campaign first asks version 2.\n"


def test_a_question_of_no_campaign_is_refused(tree):
    with pytest.raises(CommandError, match="There is no campaign 'first'"):
        call_command("question_revise", "first", str(tree))


@pytest.mark.parametrize("text", [None, "{", "\udcff"])
def test_a_file_that_is_no_tree_is_named(tmp_path, text):
    make_campaign(slug="first")
    path = tmp_path / "none.json"
    if text is not None:
        path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CommandError, match=f"The question tree {path} cannot be read"):
        call_command("question_revise", "first", str(path))
