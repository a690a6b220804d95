"""Pixels of prototypes, and of members in their prototype's frame."""

import numpy as np
import pytest
from astropy.io import fits

from protozoo.sorting.pixels import member_pixels_url, prototype_pixels_url
from skysort.images.shards import ShardWriter
from tests.factories import make_sorting

pytestmark = pytest.mark.django_db


@pytest.fixture
def sorting(db):
    return make_sorting(with_pixels=True)


def opened(answer):
    assert answer.status_code == 200, answer.content
    with fits.HDUList.fromstring(answer.content) as hdus:
        return hdus[0].header.copy(), np.array(hdus[0].data)


def test_a_prototype_tells_the_curve_of_its_values(client, sorting):
    stored = np.load(sorting.pictures_path)
    prototype = sorting.prototypes.get(row=1, column=1)
    header, data = opened(client.get(prototype_pixels_url(prototype)))
    assert (header["OBJECT"], header["STRETCH"]) == ("Prototype 1, 1", "sqrt")
    np.testing.assert_allclose(data, stored[4, 0], atol=stored[4].std() / 8)


def test_a_member_is_turned_into_its_prototypes_frame(client, sorting):
    pixels = np.zeros((30, 1, 16, 16), dtype=np.float32)
    pixels[:, 0, 7:9, 12:15] = 1.0  # to the right of the middle
    folder = sorting.survey.shard_folder
    with ShardWriter(folder, image_shape=(1, 16, 16), about={}, n_keep=0) as writer:
        writer.append(pixels)
    member = sorting.assignments.first()
    seen = {}
    for angle_rad, is_flipped in [(0.0, False), (np.pi / 2, False), (0.0, True), (np.pi / 2, True)]:
        member.angle_rad, member.is_flipped = angle_rad, is_flipped
        member.save()
        header, data = opened(client.get(member_pixels_url(member)))
        y, x = (int(edge.mean()) for edge in np.nonzero(np.nan_to_num(data) > 0.5))
        seen[angle_rad, is_flipped] = (x > 10, x < 5, y > 10, y < 5)
    assert seen == {
        (0.0, False): (True, False, False, False),
        (np.pi / 2, False): (False, False, True, False),
        (0.0, True): (False, True, False, False),
        (np.pi / 2, True): (False, False, False, True),
    }
    assert (header["FLIPPED"], header["TURNED"]) == (True, pytest.approx(90.0))


@pytest.mark.parametrize("address", [prototype_pixels_url, member_pixels_url])
def test_pixels_cost_one_query_and_are_kept(address, client, sorting, django_assert_num_queries):
    rows = sorting.prototypes if address is prototype_pixels_url else sorting.assignments
    url = address(rows.first())
    with django_assert_num_queries(1):
        assert client.get(url)["Cache-Control"].endswith("immutable")


def test_a_map_without_pictures_says_so(client, sorting):
    sorting.pictures_path.unlink()
    answer = client.get(prototype_pixels_url(sorting.prototypes.first()))
    assert answer.status_code == 404
    assert answer.content.decode().startswith(f"The pictures of map {sorting.pk} are not in")


@pytest.mark.parametrize("kind", ["prototypes", "members"])
def test_unknown_things_are_not_found(kind, client):
    assert client.get(f"/pixels/{kind}/1.fits").status_code == 404
