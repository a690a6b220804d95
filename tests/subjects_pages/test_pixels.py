"""The pixels of a subject as FITS: true to the noise, packed, kept for good, clear when missing."""

import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits

from protozoo.subjects.pixels import subject_pixels_url
from skysort.images.shards import ShardWriter
from tests.factories import make_subjects, make_survey, write_pixels

pytestmark = pytest.mark.django_db


@pytest.fixture
def subject(db):
    survey = make_survey(pixel_scale_arcsec=1.8)
    found = make_subjects(2, survey=survey)[1]
    write_pixels(survey)
    return found


def stored(*images: np.ndarray):
    """Make a survey of these images (C, H, W) and give its first subject."""
    channels, size = images[0].shape[0], images[0].shape[1]
    survey = make_survey(n_channels=channels, image_size=size, pixel_scale_arcsec=None)
    found = make_subjects(len(images), survey=survey)[0]
    with ShardWriter(survey.shard_folder, image_shape=images[0].shape, about={}) as writer:
        writer.append(np.stack(images))
    return found


def opened(answer):
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "image/fits"
    content = answer.content
    if answer.headers.get("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    with fits.HDUList.fromstring(content) as hdus:
        hdus.verify("exception")
        return hdus[0].header.copy(), np.array(hdus[0].data)


def noisy(channels: int = 1) -> np.ndarray:
    image = np.random.default_rng(1).normal(0.0, 2e-4, (channels, 64, 64)).astype(np.float32)
    image[:, 40:44, 10:14] += 0.02
    return image


def test_anybody_gets_the_pixels_within_an_eighth_of_the_noise(client):
    image = noisy()
    header, data = opened(client.get(subject_pixels_url(stored(image))))
    assert header["BITPIX"] == 16
    assert np.abs(data - image[0]).max() < 2e-4 / 8


def test_pixels_cost_one_query(client, subject, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(subject_pixels_url(subject))


def test_the_header_tells_name_position_and_offsets_from_the_middle(client, subject):
    header, data = opened(client.get(subject_pixels_url(subject)))
    assert header["OBJECT"] == subject.identifier
    assert (header["RA"], header["DEC"]) == pytest.approx((subject.ra_deg, subject.dec_deg))
    assert header["CDELT1"] == header["CDELT2"] == pytest.approx(1.8 / 3600)
    assert header["CRPIX1"] == (data.shape[1] + 1) / 2


def test_without_a_pixel_scale_none_is_claimed(client):
    header, _ = opened(client.get(subject_pixels_url(stored(noisy()))))
    assert "CDELT1" not in header


def test_blank_pixels_arrive_blank(client):
    image = noisy()
    image[0, 3, 5] = np.nan
    header, data = opened(client.get(subject_pixels_url(stored(image))))
    assert header["BLANK"] == -32768
    assert np.isnan(data[3, 5])
    assert np.isnan(data).sum() == 1


def test_channels_are_the_third_axis(client):
    image = noisy(channels=3) * np.array([1.0, 2.0, 4.0], dtype=np.float32)[:, None, None]
    _, data = opened(client.get(subject_pixels_url(stored(image))))
    np.testing.assert_allclose(data, image, atol=2e-4 / 8)


def test_a_range_too_wide_for_sixteen_bits_stays_exact(client):
    image = noisy()
    image[0, 0, 0] = 1e3
    header, data = opened(client.get(subject_pixels_url(stored(image))))
    assert header["BITPIX"] == -32
    np.testing.assert_array_equal(data, image[0])


def test_pixels_are_packed_for_readers_that_can_unpack_them(client, subject):
    address = subject_pixels_url(subject)
    plain = client.get(address)
    packed = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed["Content-Encoding"] == "gzip"
    assert plain["Vary"] == packed["Vary"] == "Accept-Encoding"
    assert plain["ETag"] != packed["ETag"]
    assert gzip.decompress(packed.content) == plain.content


def test_a_versioned_address_is_kept_for_a_year(client, subject):
    kept = client.get(subject_pixels_url(subject))
    other = client.get(f"/pixels/subjects/{subject.pk}.fits?v=stale")
    assert kept["Cache-Control"] == "public, max-age=31536000, immutable"
    assert other["Cache-Control"] == "public, max-age=60"


def test_pixels_that_the_reader_has_are_not_sent_again(client, subject):
    address = subject_pixels_url(subject)
    etag = client.get(address)["ETag"]
    again = client.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_missing_pixels_are_named(client, subject):
    shutil.rmtree(subject.survey.shard_folder)
    answer = client.get(subject_pixels_url(subject))
    assert answer.status_code == 404
    assert "cannot be read from the storage of this site" in answer.content.decode()
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_an_unknown_subject_is_not_found(client):
    assert client.get("/pixels/subjects/1.fits").status_code == 404


def test_pixels_are_only_read(client, subject):
    assert client.post(f"/pixels/subjects/{subject.pk}.fits").status_code == 405
