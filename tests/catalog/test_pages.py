"""The pages of catalogs: for everybody to read, for scientists to freeze."""

import pytest
from django.urls import reverse

from protozoo.catalog.models import Entry, Release
from protozoo.catalog.services import release_freeze
from protozoo.jobs.models import Job
from protozoo.jobs.services import job_run
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_consensus_run,
    make_edward,
    make_release,
    make_review,
    make_volunteer,
    make_vote,
    make_votes,
    make_williamina,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign():
    campaign = make_campaign(title="Radio shapes")
    make_votes(campaign, n_volunteers=2)
    make_consensus_run(campaign)
    return campaign


@pytest.fixture
def release(campaign):
    return release_freeze(campaign=campaign, notes="The first.")


def page(client, name, *arguments, status=200, **query):
    answer = client.get(reverse(name, args=arguments), query)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_list_shows_frozen_releases_only(client, release):
    unfinished = make_release(make_consensus_run(), frozen_at=None)
    shown = page(client, "releases")
    assert "Radio shapes, release 1" in shown
    assert str(unfinished) not in shown
    page(client, "release", unfinished.pk, status=404)


def test_an_empty_list_says_what_to_do(client):
    assert "No catalog yet" in page(client, "releases")


def test_the_list_takes_as_many_queries_for_many(client, django_assert_max_num_queries):
    for _ in range(5):
        make_release()
    with django_assert_max_num_queries(4):
        page(client, "releases")
    client.force_login(make_williamina())
    with django_assert_max_num_queries(12):
        page(client, "releases")


def test_a_release_shows_figures_files_and_rows(client, release, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        shown = page(client, "release", release.pk)
    for word in ("The first.", "sha256sums.txt", "No vote is simulated", "S00000", "25 of 30 rows"):
        assert word in shown
    assert release.files[0]["sha256"] in shown
    assert f"http://testserver/releases/{release.pk}/files/catalog.fits" in shown
    assert "style=" not in shown


def test_simulated_votes_are_announced(client):
    campaign = make_campaign()
    make_vote(campaign.items.all()[0], volunteer=make_volunteer(is_simulated=True))
    make_consensus_run(campaign)
    release = release_freeze(campaign=campaign)
    shown = page(client, "release", release.pk)
    assert "All votes are simulated: no person took part." in shown
    assert "no person took part" in release.provenance["how_to_cite"]
    readme = (release.folder / "README.md").read_text()
    assert "simulated volunteers named the groups" in readme
    assert "people named" not in " ".join(readme.split())


def test_an_audit_is_shown_with_its_interval(client, campaign):
    audit = {"n_subjects": 40, "agreement": 0.8, "interval_low": 0.652, "interval_high": 0.895}
    make_consensus_run(campaign, audit={**audit, "confidence": 0.95, "n_votes": 120})
    release = release_freeze(campaign=campaign)
    shown = page(client, "release", release.pk)
    assert "65% to 90%, 40 subjects" in shown
    assert "no accuracy against the truth" in shown
    assert (
        "| audit: agreement of the map with volunteers | 0.8 (0.652 to 0.895 at 95"
        in (release.folder / "README.md").read_text()
    )


def test_rows_in_a_cone_are_shown_nearest_first(client, release):
    entry = release.entries.last()
    near = {"ra": entry.ra_deg, "dec": entry.dec_deg, "radius": 1}
    shown = page(client, "release", release.pk, **near)
    assert entry.identifier in shown
    assert "1 row<" in shown
    everywhere = page(client, "release", release.pk, **{**near, "radius": 180 * 60})
    rows = everywhere[everywhere.index("<tbody>", everywhere.index('id="rows"')) :]
    assert entry.identifier in rows[: rows.index("</tr>")]


def test_rows_of_a_class_are_shown(client, release):
    label = release.entries.first().label
    n_rows = release.entries.filter(label=label).count()
    assert f"{n_rows} rows<" in page(client, "release", release.pk, label=label)


def test_unknown_rows_are_named_and_found(client, campaign):
    run = campaign.consensus_runs.get()
    strange = run.subjects.last()
    run.subjects.filter(pk=strange.pk).update(is_unknown=True)
    release = release_freeze(campaign=campaign)
    shown = page(client, "release", release.pk, label="unknown")
    assert "1 row<" in shown
    rows = shown[shown.index("<tbody>", shown.index('id="rows"')) :]
    assert strange.subject.identifier in rows
    assert "Unknown" in rows


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"ra": "1"}, "A cone needs all three"),
        ({"ra": "1", "dec": "95", "radius": "1"}, "a declination from -90 to 90"),
        ({"ra": "x", "dec": "5", "radius": "1"}, "Enter a number"),
        ({"ra": "nan", "dec": "5", "radius": "1"}, "Enter a number"),
        ({"label": "spam"}, "Select a valid choice"),
    ],
)
def test_a_bad_search_says_why(client, release, query, message):
    assert message in page(client, "release", release.pk, status=400, **query)


def test_an_unknown_release_is_not_found(client):
    page(client, "release", 1234, status=404)


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("catalog.fits", "application/fits"),
        ("catalog.vot", "application/x-votable+xml"),
        ("catalog.csv", "text/csv; charset=utf-8; header=present"),
        ("README.md", "text/markdown; charset=utf-8"),
        ("provenance.json", "application/json"),
        ("sha256sums.txt", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_is_sent_as_it_lies(client, release, name, content_type):
    answer = client.get(reverse("release-file", args=[release.pk, name]))
    assert answer["Content-Type"] == content_type
    assert b"".join(answer.streaming_content) == (release.folder / name).read_bytes()
    assert int(answer["Content-Length"]) == (release.folder / name).stat().st_size
    sha256 = {file["name"]: file["sha256"] for file in release.files}[name]
    assert answer["ETag"] == f'"{sha256}"'


def test_a_file_that_a_reader_has_is_not_sent_again(client, release):
    address = reverse("release-file", args=[release.pk, "catalog.fits"])
    sha256 = {file["name"]: file["sha256"] for file in release.files}["catalog.fits"]
    answer = client.get(address, headers={"if-none-match": f'"{sha256}"'})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["../../../db.sqlite3", "..%2F.lock", "%2e%2e/secret", ".lock", "catalog.hdf5", ".."]
)
def test_only_the_files_of_the_release_are_sent(client, release, storage, name):
    (storage / "secret").write_text("secret")
    (release.folder.parent / "secret").write_text("secret")
    assert client.get(f"/releases/{release.pk}/files/{name}").status_code == 404


def test_a_file_of_an_unfinished_release_is_not_sent(client, release):
    Release.objects.update(frozen_at=None)
    address = reverse("release-file", args=[release.pk, "catalog.fits"])
    assert client.get(address).status_code == 404


def test_a_file_that_is_gone_is_not_found(client, release):
    (release.folder / "catalog.csv").unlink()
    address = reverse("release-file", args=[release.pk, "catalog.csv"])
    assert client.get(address).status_code == 404


def test_a_scientist_freezes_a_release(client, campaign, django_capture_on_commit_callbacks):
    williamina = make_williamina()
    client.force_login(williamina)
    assert "Freeze a release" in page(client, "releases")
    with django_capture_on_commit_callbacks():
        answer = client.post(reverse("release-freeze", args=[campaign.slug]), {"notes": "New."})
    assert answer.status_code == 302
    job = Job.objects.get()
    assert job.created_by == williamina
    assert "Being frozen" in page(client, "releases")

    done = job_run(job_id=job.pk)
    assert done.state == Job.State.DONE, done.error
    release = Release.objects.get()
    assert done.result == {"release_id": release.pk, "version": 1, "n_rows": 30}
    assert (release.created_by, release.notes) == (williamina, "New.")
    assert "Nothing new since" in page(client, "releases")


def test_a_new_review_can_be_frozen_again(client, release):
    williamina = make_williamina()
    client.force_login(williamina)
    campaign = release.campaign
    make_review(campaign.sorting.survey.subjects.first(), campaign=campaign, reviewer=williamina)
    assert "Freeze a release" in page(client, "releases")


def test_a_second_press_starts_no_second_job(client, campaign):
    client.force_login(make_edward())
    for _ in range(2):
        client.post(reverse("release-freeze", args=[campaign.slug]))
    assert Job.objects.count() == 1


def test_an_anonymous_visitor_is_asked_to_log_in(client, campaign):
    answer = client.post(reverse("release-freeze", args=[campaign.slug]))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert not Job.objects.exists()
    assert "Freeze a release" not in page(client, "releases")


@pytest.mark.parametrize("make_user", [make_annie, make_charlie])
def test_others_may_not_freeze(client, campaign, make_user):
    client.force_login(make_user())
    assert client.post(reverse("release-freeze", args=[campaign.slug])).status_code == 403
    assert not Job.objects.exists()
    assert "Freeze a release" not in page(client, "releases")


def test_freezing_needs_a_campaign_with_merged_votes(client):
    client.force_login(make_williamina())
    assert client.post(reverse("release-freeze", args=["nowhere"])).status_code == 404
    address = reverse("release-freeze", args=[make_campaign().slug])
    answer = client.post(address, follow=True)
    assert "were never merged" in answer.content.decode()
    assert client.post(address, {"notes": "x" * 2001}, follow=True).status_code == 200
    assert client.get(address).status_code == 405
    assert not Job.objects.exists()


@pytest.mark.parametrize("model", ["release", "entry"])
def test_nobody_changes_a_frozen_release_in_the_admin(client, release, model):
    edward = make_edward()
    edward.is_superuser = True
    edward.save()
    client.force_login(edward)
    key = release.pk if model == "release" else release.entries.first().pk
    assert client.get(reverse(f"admin:catalog_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:catalog_{model}_add")).status_code == 403
    assert client.get(reverse(f"admin:catalog_{model}_change", args=[key])).status_code == 200
    change = client.post(reverse(f"admin:catalog_{model}_change", args=[key]), {"version": 9})
    assert change.status_code == 403
    delete = client.post(reverse(f"admin:catalog_{model}_delete", args=[key]), {"post": "yes"})
    assert delete.status_code == 403
    assert Entry.objects.count() == release.n_rows
