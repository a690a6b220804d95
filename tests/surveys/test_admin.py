"""Every page of the admin opens, and what services write cannot be written there."""

import pytest
from django.contrib import admin
from django.urls import reverse

from protozoo.surveys.models import ImportProblem, ImportRun
from tests.factories import (
    make_campaign,
    make_consensus_run,
    make_job,
    make_review,
    make_sorting,
    make_survey,
    make_williamina,
)

pytestmark = pytest.mark.django_db

SHOWN = [
    "surveys.survey",
    "surveys.importrun",
    "subjects.subject",
    "sorting.sorting",
    "consensus.consensusrun",
    "consensus.review",
    "jobs.job",
]


@pytest.fixture
def everything(db):
    survey = make_survey()
    run = ImportRun.objects.create(survey=survey, source={"table": "sources.csv"}, n_rejected=1)
    ImportProblem.objects.create(run=run, row_number=7, reason="The row has no id.")
    campaign = make_campaign(sorting=make_sorting(survey=survey))
    make_consensus_run(campaign)
    subject = survey.subjects.first()
    make_review(subject, campaign=campaign, reviewer=make_williamina())
    make_job()


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("name", SHOWN)
def test_lists_and_single_pages_open(name, admin_client, django_assert_max_num_queries):
    app, model = name.split(".")
    rows = next(found for found in admin.site._registry if found._meta.label_lower == name)
    with django_assert_max_num_queries(12):
        listed = admin_client.get(reverse(f"admin:{app}_{model}_changelist"))
    key = rows.objects.first().pk
    shown = admin_client.get(reverse(f"admin:{app}_{model}_change", args=[key]))
    added = admin_client.get(reverse(f"admin:{app}_{model}_add"))
    assert (listed.status_code, shown.status_code, added.status_code) == (200, 200, 403)


@pytest.mark.usefixtures("everything")
def test_reviews_cannot_be_deleted(admin_client):
    from protozoo.consensus.models import Review

    key = Review.objects.get().pk
    address = reverse("admin:consensus_review_delete", args=[key])
    assert admin_client.post(address, {"post": "yes"}).status_code == 403
    assert Review.objects.filter(pk=key).exists()
