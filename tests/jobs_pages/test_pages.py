"""The pages of background work."""

import pytest

from protozoo.jobs.models import Job
from tests.factories import make_annie, make_job, make_williamina

pytestmark = pytest.mark.django_db

PAGES = ["/jobs/", "/jobs/{pk}/"]
ACTIONS = ["/jobs/{pk}/cancel/", "/jobs/{pk}/retry/"]


def test_jobs_are_listed_with_few_queries(client, edward, django_assert_max_num_queries):
    for number in range(20):
        make_job(title=f"Import {number}", created_by=edward)
    with django_assert_max_num_queries(7):
        html = client.get("/jobs/").content.decode()
    assert html.count(">edward</td>") == 20


@pytest.mark.usefixtures("edward")
def test_jobs_can_be_filtered_by_state(client):
    make_job(title="Sorting of FIRST", state="failed")
    make_job(title="Import of FIRST", state="done")
    html = client.get("/jobs/?state=failed").content.decode()
    assert "Sorting of FIRST" in html
    assert "Import of FIRST" not in html
    assert "Import of FIRST" in client.get("/jobs/?state=nonsense").content.decode()


@pytest.mark.usefixtures("edward")
def test_no_jobs_is_said_kindly(client):
    assert "No jobs" in client.get("/jobs/").content.decode()


@pytest.mark.usefixtures("edward")
def test_a_running_job_is_followed_and_can_be_cancelled(client):
    job = make_job(state="running", progress_done=50, progress_total=200, message="epoch 2")
    html = client.get(f"/jobs/{job.pk}/").content.decode()
    assert f'data-address="/api/jobs/{job.pk}/"' in html
    assert 'value="25"' in html
    assert f"/jobs/{job.pk}/cancel/" in html
    assert f"/jobs/{job.pk}/retry/" not in html


@pytest.mark.usefixtures("edward")
def test_a_failed_job_tells_its_error_and_can_be_tried_again(client):
    job = make_job(state="failed", error="The file <fields.csv> has no column 'ra'.")
    html = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "The file &lt;fields.csv&gt; has no column &#x27;ra&#x27;." in html
    assert "data-island" not in html
    assert f"/jobs/{job.pk}/retry/" in html


@pytest.mark.usefixtures("edward")
@pytest.mark.parametrize(
    ("state", "after", "sentence"),
    [
        ("queued", "cancelled", "The job is cancelled."),
        ("running", "running", "The job will stop at its next step."),
        ("done", "done", "The job was finished already."),
    ],
)
def test_cancelling_says_what_happens(state, after, sentence, client):
    job = make_job(state=state)
    html = client.post(f"/jobs/{job.pk}/cancel/", follow=True).content.decode()
    job.refresh_from_db()
    assert (job.state, job.cancel_requested) == (after, state == "running")
    assert sentence in html


@pytest.mark.usefixtures("edward")
@pytest.mark.parametrize(
    ("state", "after", "sentence"),
    [
        ("failed", "queued", "The job waits for a worker again."),
        ("cancelled", "queued", "The job waits for a worker again."),
        ("done", "done", "Only failed and cancelled jobs can be tried again."),
    ],
)
def test_trying_again_says_what_happens(state, after, sentence, client):
    job = make_job(state=state, error="broken")
    html = client.post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert Job.objects.get(pk=job.pk).state == after
    assert sentence in html


@pytest.mark.parametrize("address", PAGES + ACTIONS)
def test_a_visitor_is_asked_to_log_in(address, client):
    job = make_job()
    ask = client.post if address in ACTIONS else client.get
    answer = ask(address.format(pk=job.pk))
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")


@pytest.mark.parametrize("make_user", [make_annie, make_williamina])
@pytest.mark.parametrize("address", PAGES + ACTIONS)
def test_those_who_do_not_operate_see_no_jobs(address, make_user, client):
    job = make_job()
    client.force_login(make_user())
    ask = client.post if address in ACTIONS else client.get
    assert ask(address.format(pk=job.pk)).status_code == 403
    job.refresh_from_db()
    assert job.state == "queued"


@pytest.mark.usefixtures("edward")
def test_unknown_jobs_are_not_found(client):
    assert client.get("/jobs/1/").status_code == 404
    assert client.post("/jobs/1/cancel/").status_code == 404
    assert client.post("/jobs/1/retry/").status_code == 404


@pytest.mark.usefixtures("edward")
def test_jobs_are_cancelled_by_posting_only(client):
    job = make_job()
    assert client.get(f"/jobs/{job.pk}/cancel/").status_code == 405
