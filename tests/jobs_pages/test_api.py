"""Background work by API."""

import pytest

from tests.factories import make_annie, make_job

pytestmark = pytest.mark.django_db


def test_jobs_are_listed_with_few_queries(client, edward, django_assert_max_num_queries):
    for _ in range(10):
        make_job(created_by=edward)
    make_job(state="done")
    with django_assert_max_num_queries(7):
        answer = client.get("/api/jobs/?state=queued").json()
    assert answer["count"] == 10
    assert {row["created_by"] for row in answer["results"]} == {"edward"}


@pytest.mark.usefixtures("edward")
def test_a_job_tells_how_far_it_is(client):
    job = make_job(state="running", progress_done=1, progress_total=4, message="epoch 1")
    answer = client.get(f"/api/jobs/{job.pk}/").json()
    assert (answer["percent"], answer["message"], answer["is_finished"]) == (25, "epoch 1", False)
    assert answer["created_by"] is None


@pytest.mark.usefixtures("edward")
def test_the_lease_stays_secret(client):
    assert "lease_token" not in client.get(f"/api/jobs/{make_job().pk}/").json()


@pytest.mark.usefixtures("edward")
def test_a_job_is_cancelled_and_tried_again(client):
    job = make_job()
    assert client.post(f"/api/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"
    assert client.post(f"/api/jobs/{job.pk}/retry/").json()["state"] == "queued"


@pytest.mark.usefixtures("edward")
@pytest.mark.parametrize(("action", "state"), [("cancel", "done"), ("retry", "running")])
def test_what_the_state_does_not_allow_is_refused(action, state, client):
    job = make_job(state=state)
    answer = client.post(f"/api/jobs/{job.pk}/{action}/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job_state")


@pytest.mark.parametrize("address", ["", "{pk}/", "{pk}/cancel/", "{pk}/retry/"])
@pytest.mark.parametrize("make_user", [None, make_annie])
def test_only_those_who_operate_see_jobs(address, make_user, client):
    job = make_job()
    if make_user:
        client.force_login(make_user())
    path = f"/api/jobs/{address.format(pk=job.pk)}"
    ask = client.post if "cancel" in path or "retry" in path else client.get
    assert ask(path).status_code == 403
    job.refresh_from_db()
    assert job.state == "queued"


@pytest.mark.usefixtures("edward")
def test_unknown_jobs_are_not_found(client):
    assert client.get("/api/jobs/1/").status_code == 404
    assert client.post("/api/jobs/1/cancel/").status_code == 404
    assert client.post("/api/jobs/1/retry/").status_code == 404
