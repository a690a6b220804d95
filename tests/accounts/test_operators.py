"""Operators see every table in Django's admin, and change none but the words about a survey."""

import pytest
from django.contrib import admin

from protozoo.surveys.models import Survey
from tests import factories

pytestmark = pytest.mark.django_db
MODELS = [
    model for model in admin.site._registry if model.__module__.startswith("protozoo.")
]  # fmt: skip


def address(model, page="changelist", *args):
    from django.urls import reverse

    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def everything():
    run = factories.make_consensus_run()
    factories.make_release(run)
    factories.make_votes(run.campaign)
    factories.make_job()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_edward_looks_at_every_table_but_users(client, everything, model):
    client.force_login(factories.make_edward())
    answer = client.get(address(model))
    assert answer.status_code == (403 if model.__name__ == "User" else 200)
    may_add = model.__name__ == "AskingPlan"
    assert client.get(address(model, "add")).status_code == (200 if may_add else 403)


def test_edward_corrects_what_is_known_of_a_survey(client):
    survey = factories.make_survey()
    client.force_login(factories.make_edward())
    page = client.get(address(Survey, "change", survey.pk))
    fields = {
        name: value if value is not None else ""
        for name, value in page.context["adminform"].form.initial.items()
        if name in page.context["adminform"].form.fields
    }
    answer = client.post(
        address(Survey, "change", survey.pk), {**fields, "licence": "CC BY 4.0", "image_size": 99}
    )
    assert answer.status_code == 302
    changed = Survey.objects.get()
    assert (changed.licence, changed.image_size) == ("CC BY 4.0", survey.image_size)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_annie_does_not_enter(client, model):
    client.force_login(factories.make_annie())
    assert client.get(address(model)).status_code == 302
