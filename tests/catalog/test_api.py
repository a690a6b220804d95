"""The API of catalogs and its cone search."""

from contextlib import closing
from io import BytesIO

import numpy as np
import pytest
from astropy.io import votable
from astropy.table import Table

from protozoo.catalog.columns import columns_of
from protozoo.catalog.services import release_freeze
from tests.factories import (
    CLASSES,
    make_campaign,
    make_consensus_run,
    make_edward,
    make_release,
    make_sorting,
    make_votes,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def release():
    campaign = make_campaign(sorting=make_sorting(n_subjects=40))
    make_votes(campaign, n_volunteers=1)
    make_consensus_run(campaign)
    return release_freeze(campaign=campaign)


def get(client, address, status=200, **query):
    answer = client.get(f"/api/releases/{address}", query)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_releases_are_listed(client, release):
    make_release(make_consensus_run(), frozen_at=None)
    found = get(client, "")
    assert found["count"] == 1
    listed = found["results"][0]
    assert listed["campaign"] == release.campaign.slug
    assert listed["survey"] == release.campaign.sorting.survey.slug
    assert listed["classes"] == CLASSES
    assert listed["page"] == f"http://testserver/releases/{release.pk}/"
    assert "provenance" not in listed


def test_the_list_has_no_query_for_each_release(client, django_assert_max_num_queries):
    for _ in range(4):
        make_release()
    with django_assert_max_num_queries(3):
        assert get(client, "")["count"] == 4


def test_a_release_tells_its_files_and_provenance(client, release):
    found = get(client, f"{release.pk}/")
    assert found["provenance"]["votes"]["n_votes"] == release.run.n_votes
    fits = next(file for file in found["files"] if file["name"] == "catalog.fits")
    with closing(client.get(fits["url"])) as answer:
        assert answer.status_code == 200


def test_an_unknown_release_is_not_found(client, release):
    for address in ("999/", "999/entries/"):
        assert "No Release matches" in get(client, address, status=404)["error"]["message"]


def test_rows_come_with_probabilities_by_class(client, release, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        found = get(client, f"{release.pk}/entries/")
    assert found["count"] == 40
    entry = release.entries.first()
    row = found["results"][0]
    assert row["identifier"] == entry.identifier
    assert row["probabilities"] == dict(zip(CLASSES, entry.probabilities, strict=True))
    assert row["n_votes"] == entry.n_votes
    for name in ("is_unknown", "n_votes_grid", "n_volunteers", "reliability", "weight_head"):
        assert row[name] == getattr(entry, name)


def test_rows_of_another_release_are_not_given(client, release):
    make_release()
    assert get(client, f"{release.pk}/entries/")["count"] == 40


def test_rows_are_filtered(client, release):
    entry = release.entries.last()
    cone = f"{entry.ra_deg},{entry.dec_deg},0.001"
    found = get(client, f"{release.pk}/entries/", cone=cone)
    assert [row["identifier"] for row in found["results"]] == [entry.identifier]
    assert get(client, f"{release.pk}/entries/", cone=cone, label="nothing")["count"] == 0
    sure = get(client, f"{release.pk}/entries/", min_probability=0.8)
    assert sure["count"] == release.entries.filter(probability__gte=0.8).count()
    assert 0 < sure["count"] < 40


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"cone": "1,2"}, "cone"),
        ({"cone": "1,99,1"}, "cone"),
        ({"min_probability": "2"}, "invalid"),
        ({"min_probability": "often"}, "invalid"),
    ],
)
def test_bad_filters_are_explained(client, release, query, code):
    assert get(client, f"{release.pk}/entries/", status=400, **query)["error"]["code"] == code


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_by_the_api(client, release, method):
    edward = make_edward()
    edward.is_superuser = True
    edward.save()
    client.force_login(edward)
    for address in ("", f"{release.pk}/", f"{release.pk}/entries/", f"{release.pk}/scs"):
        answer = getattr(client, method)(f"/api/releases/{address}")
        assert answer.status_code in {403, 405}
    assert release.entries.count() == 40


def scs(client, release, status=200, accept="*/*", **query):
    answer = client.get(f"/api/releases/{release.pk}/scs", query, headers={"accept": accept})
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/x-votable+xml"
    return votable.parse(BytesIO(answer.content), verify="exception")


def info(document, name):
    return {info.name: info.value for info in document.resources[0].infos}.get(name)


def test_cone_search_gives_the_nearest_first(client, release):
    entry = release.entries.last()
    document = scs(client, release, RA=entry.ra_deg, DEC=entry.dec_deg, SR=180, MAXREC=7)
    rows = document.get_first_table().to_table()
    assert len(rows) == 7
    assert rows["id"][0] == entry.identifier
    assert rows["ra"][0] == entry.ra_deg
    assert rows["label"][0] == entry.label
    assert bool(rows["flip"][0]) == entry.is_flipped
    assert rows["p_bent"][0] == np.float32(entry.probabilities[CLASSES.index("bent")])
    assert info(document, "QUERY_STATUS") == "OVERFLOW"


def test_cone_search_gives_all_rows_inside(client, release):
    document = scs(client, release, RA=10, DEC=20, SR=180)
    assert len(document.get_first_table().array) == 40
    assert info(document, "QUERY_STATUS") == "OK"


def test_cone_search_gives_what_is_not_known_as_none(client, release):
    release.entries.filter(pk=release.entries.first().pk).update(reliability=0.75)
    table = scs(client, release, RA=10, DEC=20, SR=180).get_first_table().to_table()
    told = np.ma.asarray(table["reliability"]).astype(float).filled(np.nan)
    assert told[~np.isnan(told)].tolist() == [0.75]
    assert len(told) == 40


def test_cone_search_names_the_columns_that_the_standard_asks_for(client, release):
    document = scs(client, release, RA=10, DEC=20, SR=0.0001)
    fields = {field.ucd: field for field in document.get_first_table().fields}
    assert fields["ID_MAIN"].datatype == "char"
    assert fields["POS_EQ_RA_MAIN"].datatype == "double"
    assert fields["POS_EQ_DEC_MAIN"].datatype == "double"
    assert str(fields["POS_EQ_RA_MAIN"].unit) == "deg"
    assert len(document.get_first_table().array) == 0


@pytest.mark.parametrize("query", [{"SR": 0}, {"SR": 180, "MAXREC": 0}])
def test_nothing_asked_gives_the_columns_alone(client, release, query):
    table = scs(client, release, RA=10, DEC=20, **query).get_first_table()
    assert len(table.array) == 0
    names = [field.name for field in table.fields]
    assert names == [column.name for column in columns_of(CLASSES, id_width=1, label_width=1)]


def test_cone_search_can_be_saved_as_fits(client, release, tmp_path):
    document = scs(client, release, RA=10, DEC=20, SR=180)
    found = document.get_first_table().to_table()
    found.write(tmp_path / "found.fits")
    assert set(Table.read(tmp_path / "found.fits")["id"]) == set(found["id"])


def test_cone_search_describes_no_address(client, release):
    answer = client.options(f"/api/releases/{release.pk}/scs")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"


def test_parameters_are_read_in_any_case_and_any_format_is_accepted(client, release):
    document = scs(client, release, accept="text/html", ra=10, dec=20, sr=180, VERB=1)
    assert len(document.get_first_table().array) == 40


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "RA is missing"),
        ({"RA": 1, "DEC": 2}, "SR is missing"),
        ({"RA": "12h", "DEC": 2, "SR": 1}, "RA must be a number, got '12h'"),
        ({"RA": 1, "DEC": 91, "SR": 1}, "a declination from -90 to 90"),
        ({"RA": 1, "DEC": 2, "SR": -1}, "a radius from 0 to 180"),
        ({"RA": "nan", "DEC": 2, "SR": 1}, "RA must be a finite number"),
        ({"RA": 1, "DEC": 2, "SR": 1, "MAXREC": -1}, "MAXREC must be a whole number"),
        ({"RA": 1, "DEC": 2, "SR": 1, "MAXREC": "1.5"}, "MAXREC must be a whole number"),
    ],
)
def test_a_bad_cone_is_an_error_document(client, release, query, message):
    document = scs(client, release, **query)
    assert message in info(document, "Error")
    assert not document.resources[0].tables


def test_an_unknown_release_is_an_error_document(client, release):
    release.pk = 999
    assert info(scs(client, release, status=404, RA=1, DEC=2, SR=1), "Error")
