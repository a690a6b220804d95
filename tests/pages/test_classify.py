import html
import json
import re

import pytest

from protozoo.accounts.models import Volunteer
from tests.factories import make_campaign

pytestmark = pytest.mark.django_db


def props_of(page) -> dict:
    found = re.search(r'data-island="classify" data-props="([^"]*)"', page.content.decode())
    return json.loads(html.unescape(found[1]))


def test_the_island_gets_the_newest_question_and_its_addresses(client) -> None:
    campaign = make_campaign(slug="radio")
    newest = campaign.questions.create(version=2, tree=campaign.questions.get().tree)
    props = props_of(client.get("/campaigns/radio/classify/"))
    assert props["question"] == {"version": 2, "tree": newest.tree}
    assert props["addresses"] == {
        "next": "/api/campaigns/radio/next/",
        "campaign": "/campaigns/radio/",
    }


def test_words_of_the_tree_cannot_break_out_of_the_page(client) -> None:
    campaign = make_campaign(slug="radio")
    question = campaign.questions.get()
    question.tree["questions"]["shape"]["text"] = "\"><script>alert('x')</script>"
    question.save()
    page = client.get("/campaigns/radio/classify/")
    assert "<script>alert" not in page.content.decode()
    assert props_of(page)["question"]["tree"] == question.tree


def test_the_page_brings_the_token_for_answers_and_makes_nobody(client) -> None:
    make_campaign(slug="radio")
    page = client.get("/campaigns/radio/classify/")
    assert "csrftoken" in page.cookies
    assert "volunteer" not in page.cookies
    assert not Volunteer.objects.exists()


def test_without_javascript_it_says_what_is_needed(client) -> None:
    make_campaign(slug="radio")
    text = client.get("/campaigns/radio/classify/").content.decode()
    assert "This page needs JavaScript" in text[text.index("<noscript>") :]


def test_classify_asks_few_queries(client, django_assert_max_num_queries) -> None:
    make_campaign(slug="radio")
    with django_assert_max_num_queries(5):
        client.get("/campaigns/radio/classify/")
