"""The picture of a subject: drawn from its shard, kept for good, clear when it is missing."""

import shutil
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from protozoo.subjects.pictures import SIZES, for_the_eye, subject_picture_url
from skysort.images.shards import ShardWriter
from tests.factories import make_subject, make_subjects, make_survey, write_pixels

pytestmark = pytest.mark.django_db


@pytest.fixture
def subject(db):
    survey = make_survey()
    found = make_subjects(2, survey=survey)[1]
    write_pixels(survey)
    return found


def picture_of(answer) -> Image.Image:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "image/png"
    return Image.open(BytesIO(answer.content))


@pytest.mark.parametrize("size", SIZES)
def test_anybody_sees_a_picture_of_the_size_asked_for(size, client, subject):
    picture = picture_of(client.get(f"/pictures/subjects/{subject.pk}.png?size={size}"))
    assert picture.size == (size, size)


def test_a_picture_costs_one_query(client, subject, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(subject_picture_url(subject))


def test_up_in_the_array_is_up_in_the_picture(client):
    survey = make_survey()
    found = make_subjects(1, survey=survey)[0]
    pixels = np.zeros((1, 1, 16, 16), dtype=np.float32)
    pixels[0, 0, 12:15, 1:4] = 1.0
    with ShardWriter(survey.shard_folder, image_shape=(1, 16, 16), about={}) as writer:
        writer.append(pixels)
    shown = np.asarray(picture_of(client.get(f"/pictures/subjects/{found.pk}.png?size=64")))
    assert shown[8, 10] > 200
    assert shown[54, 10] == 0


def test_stretches_differ(client, subject):
    pictures = {
        client.get(f"/pictures/subjects/{subject.pk}.png?stretch={name}").content
        for name in ("sqrt", "linear", "asinh", "log")
    }
    assert len(pictures) == 4


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("size=5000", "The size of a picture is one of 64, 128, 192, 256, 512, 768; got '5000'."),
        ("size=big", "The size of a picture is one of 64, 128, 192, 256, 512, 768; got 'big'."),
        ("stretch=cubist", "The stretch is one of sqrt, linear, asinh, log; got 'cubist'."),
    ],
)
def test_bad_wishes_are_refused_with_a_sentence(query, sentence, client, subject):
    answer = client.get(f"/pictures/subjects/{subject.pk}.png?{query}")
    assert (answer.status_code, answer.content.decode()) == (400, sentence)


def test_a_versioned_address_is_kept_for_a_year(client, subject):
    kept = client.get(subject_picture_url(subject))
    asked_again = client.get(f"/pictures/subjects/{subject.pk}.png?v=stale")
    assert kept["Cache-Control"] == "public, max-age=31536000, immutable"
    assert asked_again["Cache-Control"] == "public, max-age=60"


def test_a_picture_that_the_reader_has_is_not_sent_again(client, subject):
    address = subject_picture_url(subject)
    etag = client.get(address)["ETag"]
    again = client.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"{address}&stretch=log", headers={"If-None-Match": etag})
    assert other.status_code == 200


def test_missing_pixels_are_named(client, subject):
    shutil.rmtree(subject.survey.shard_folder)
    answer = client.get(f"/pictures/subjects/{subject.pk}.png")
    assert answer.status_code == 404
    assert answer.content.decode() == (
        f"The pixels of {subject.identifier} cannot be read from the storage of this site. If an"
        f" import of survey {subject.survey.slug} was interrupted, importing again mends it."
    )


def test_a_row_beyond_the_shard_is_missing(client, subject):
    subject.row = 99
    subject.save()
    assert client.get(f"/pictures/subjects/{subject.pk}.png").status_code == 404


def test_pixels_imported_later_are_seen(client, subject):
    client.get(f"/pictures/subjects/{subject.pk}.png")
    late = make_subject(survey=subject.survey)
    with ShardWriter(
        subject.survey.shard_folder, image_shape=(1, 16, 16), about={}, n_keep=2
    ) as writer:
        writer.append(np.ones((1, 1, 16, 16), dtype=np.float32))
    assert client.get(f"/pictures/subjects/{late.pk}.png").status_code == 200


def test_an_unknown_subject_is_not_found(client):
    assert client.get("/pictures/subjects/1.png").status_code == 404


def test_pictures_are_only_read(client, subject):
    assert client.post(f"/pictures/subjects/{subject.pk}.png").status_code == 405


def test_the_eye_sees_black_sky_and_no_blank_pixel():
    rng = np.random.default_rng(0)
    pixels = rng.normal(5.0, 1.0, (1, 64, 64)).astype(np.float32)
    pixels[0, 30:34, 30:34] += 50.0
    pixels[0, 0, 0] = np.nan
    pixels[0, 0, 1] = np.inf
    seen = for_the_eye(pixels)
    assert np.isfinite(seen).all()
    assert np.median(seen) == 0.0
    assert seen[0, 30:34, 30:34].min() > 40.0


def test_the_eye_sees_nothing_in_a_blank_image():
    assert not for_the_eye(np.full((2, 8, 8), np.nan, dtype=np.float32)).any()
