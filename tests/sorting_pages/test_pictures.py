"""Pictures of prototypes, members and whole maps."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from protozoo.sorting.pictures import (
    member_picture_url,
    prototype_picture_url,
    sorting_picture_url,
)
from skysort.images.shards import ShardWriter
from tests.factories import make_sorting

pytestmark = pytest.mark.django_db


@pytest.fixture
def sorting(db):
    return make_sorting(with_pixels=True)


def picture_of(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.content
    return np.asarray(Image.open(BytesIO(answer.content)))


def test_each_prototype_has_its_own_picture(client, sorting):
    prototypes = list(sorting.prototypes.all())
    pictures = {client.get(prototype_picture_url(prototype)).content for prototype in prototypes}
    assert len(pictures) == len(prototypes) == 6


def test_a_prototype_is_drawn_from_its_unit(client, sorting):
    stored = np.load(sorting.pictures_path)
    stored[:] = 0.0
    stored[4, 0, 3, 2] = 1.0
    np.save(sorting.pictures_path, stored)
    prototype = sorting.prototypes.get(row=1, column=1)
    shown = picture_of(client.get(f"/pictures/prototypes/{prototype.pk}.png?size=64"))
    y, x = np.unravel_index(shown.argmax(), shown.shape)
    assert (x // 4, 15 - y // 4) == (2, 3)


@pytest.mark.parametrize("address", [prototype_picture_url, member_picture_url])
def test_pictures_cost_two_queries_at_most(address, client, sorting, django_assert_max_num_queries):
    rows = sorting.prototypes if address is prototype_picture_url else sorting.assignments
    url = address(rows.first())
    with django_assert_max_num_queries(2):
        assert client.get(url)["Cache-Control"].endswith("immutable")


def test_a_member_is_turned_into_its_prototypes_frame(client, sorting):
    pixels = np.zeros((30, 1, 16, 16), dtype=np.float32)
    pixels[:, 0, 7:9, 12:15] = 1.0  # to the right of the middle
    folder = sorting.survey.shard_folder
    with ShardWriter(folder, image_shape=(1, 16, 16), about={}, n_keep=0) as writer:
        writer.append(pixels)
    member = sorting.assignments.first()
    seen = {}
    for angle_rad, is_flipped in [(0.0, False), (np.pi / 2, False), (0.0, True)]:
        member.angle_rad, member.is_flipped = angle_rad, is_flipped
        member.save()
        shown = picture_of(client.get(f"/pictures/members/{member.pk}.png?size=64"))
        y, x = (int(edge.mean()) for edge in np.nonzero(shown > 128))
        seen[angle_rad, is_flipped] = (x > 40, x < 24, y < 24)
    assert seen == {
        (0.0, False): (True, False, False),
        (np.pi / 2, False): (False, False, True),
        (0.0, True): (False, True, False),
    }


def test_the_sheet_shows_the_whole_map(client, sorting):
    shown = picture_of(client.get(sorting_picture_url(sorting)))
    rows, columns = shown.shape
    assert columns > rows
    assert columns <= 512 + sorting.columns


def test_a_map_without_pictures_says_so(client, sorting):
    sorting.pictures_path.unlink()
    prototype = sorting.prototypes.first()
    for address in (f"prototypes/{prototype.pk}", f"sortings/{sorting.pk}"):
        answer = client.get(f"/pictures/{address}.png")
        assert answer.status_code == 404
        assert answer.content.decode() == (
            f"The pictures of map {sorting.pk} are not in the storage of this site; they are"
            " written when its sorting is done."
        )


def test_a_file_of_another_map_is_noticed(client, sorting):
    np.save(sorting.pictures_path, np.zeros((2, 1, 16, 16), dtype=np.float32))
    answer = client.get(f"/pictures/prototypes/{sorting.prototypes.first().pk}.png")
    assert answer.status_code == 404
    assert "holds 2 prototypes, the map 6" in answer.content.decode()


def test_a_damaged_file_is_noticed(client, sorting):
    sorting.pictures_path.write_bytes(b"not numpy")
    answer = client.get(f"/pictures/prototypes/{sorting.prototypes.first().pk}.png")
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", ["prototypes", "members", "sortings"])
def test_unknown_things_are_not_found(kind, client):
    assert client.get(f"/pictures/{kind}/1.png").status_code == 404


@pytest.mark.parametrize("kind", ["prototypes", "members", "sortings"])
def test_bad_sizes_are_refused(kind, client, sorting):
    keys = {
        "prototypes": sorting.prototypes.first().pk,
        "members": sorting.assignments.first().pk,
        "sortings": sorting.pk,
    }
    answer = client.get(f"/pictures/{kind}/{keys[kind]}.png?size=7")
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
