"""Marks of volunteers lie over the pictures of prototypes and subjects, and stand in a table."""

import math
import re

import pytest

from protozoo.consensus.mark_drawing import mark_drawing
from protozoo.voting.marked import marked_prototype, marked_subject
from tests.factories import make_single, make_vote

pytestmark = pytest.mark.django_db

HOST = {"role": "host", "shape": "point", "x_arcsec": -3.6, "y_arcsec": 7.2}
BOX = {
    "role": "component", "shape": "box", "x_arcsec": 0.0, "y_arcsec": 3.6, "width_arcsec": 7.2,
    "height_arcsec": 3.6,
}  # fmt: skip


@pytest.fixture
def member(zoo):
    """A member turned by a quarter into its prototype's frame."""
    member = zoo.sorting.prototypes.first().members.select_related("subject__survey")[0]
    member.angle_rad, member.is_flipped = math.pi / 2, False
    member.save()
    return member


@pytest.fixture
def prototype_item(zoo, member):
    return zoo.campaign.items.get(kind="prototype", prototype=member.prototype_id)


def page(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_marks_lie_where_they_were_put(prototype_item):
    """A picture of 28.8 arcsec is 512 units wide: 3.6 arcsec are 64 of them."""
    make_vote(prototype_item, marks=[HOST, BOX])
    drawing = mark_drawing(marked_prototype(prototype_item.prototype))
    box, point = drawing.marks
    assert (point.x, point.y) == ("192.0", "128.0")
    assert (box.left, box.top, box.width, box.height) == ("192.0", "160.0", "128.0", "64.0")
    assert drawing.agreed == []


def test_a_box_of_the_prototype_is_turned_back_on_its_member(prototype_item, member):
    """What is up in the prototype is to the right in a member that was turned to the left."""
    make_vote(prototype_item, marks=[BOX])
    (box,) = mark_drawing(marked_subject(member.subject)).marks
    assert (box.x, box.y) == ("320.0", "256.0")
    assert box.turn == "rotate(90.00 320.0 256.0)"


def test_the_page_of_a_prototype_shows_its_marks(client, prototype_item):
    for _ in range(2):
        make_vote(prototype_item, marks=[HOST, BOX])
    html = page(client, f"/prototypes/{prototype_item.prototype_id}/")
    assert "What volunteers marked" in html
    assert "4 single marks" in html
    assert html.count("2 of 2") == 2
    assert "\N{MINUS SIGN}3.6</td>" in html
    assert "RA and Dec take north" not in html
    assert "Dashed" not in html


def test_the_page_of_a_subject_tells_its_own_marks_from_those_of_its_prototype(
    client, zoo, prototype_item, member
):
    make_vote(make_single(zoo.campaign, "subject", member.subject), marks=[HOST])
    make_vote(prototype_item, marks=[HOST])
    html = page(client, f"/subjects/{member.subject_id}/")
    assert len(re.findall(r'class="spot spot--2 spot--single">', html)) == 1
    assert len(re.findall(r'class="spot spot--2 spot--single spot--inherited">', html)) == 1
    assert html.count(">, on its prototype</span>") == 1
    assert "Dashed: marked on its prototype" in html
    assert "No two of them agree yet" in html
    ra_deg = member.subject.ra_deg + 3.6 / 3600 / math.cos(math.radians(member.subject.dec_deg))
    assert f"{ra_deg:.5f}°".replace("-", "\N{MINUS SIGN}") in html


@pytest.mark.parametrize("what", ["subject", "prototype"])
def test_pictures_without_marks_say_nothing_of_them(client, member, what):
    address = f"/{what}s/{getattr(member, f'{what}_id')}/"
    html = page(client, address)
    assert "What volunteers marked" not in html
    assert "Show the marks" not in html
