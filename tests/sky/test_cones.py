"""A cone finds what lies in it, near the poles and across the meridian too."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protozoo.sky import selectors
from protozoo.sky.positions import (
    ORDER,
    cone_ranges,
    healpix_of,
    is_near,
    separation_arcsec,
)
from protozoo.sky.selectors import Cone, ConeError, rows_in_cone
from protozoo.subjects.models import Subject
from tests import factories


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    ra=st.floats(0, 359.999),
    dec=st.floats(-90, 90),
    radius=st.floats(1e-4, 60),
    seed=st.integers(0, 1000),
)
def test_the_ranges_cover_every_position_in_the_cone(ra, dec, radius, seed):
    rng = np.random.default_rng(seed)
    ras = rng.uniform(0, 360, 300)
    decs = np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
    ras = np.r_[ras, (ra + rng.normal(0, radius, 50)) % 360]
    decs = np.r_[decs, np.clip(dec + rng.normal(0, radius, 50), -90, 90)]
    inside = separation_arcsec(ras, decs, ra, dec) <= radius * 3600
    index = healpix_of(ras, decs)
    ranges = cone_ranges(ra, dec, radius)
    covered = np.zeros(len(index), dtype=bool)
    for first, last in ranges:
        covered |= (index >= first) & (index <= last)
    assert covered[inside].all()
    assert len(ranges) <= 300


@pytest.mark.parametrize(
    ("ra", "dec", "radius"),
    [
        (0.0, 74.9375, 1e-4),
        (1.936012354459189, 73.7618719455752, 0.00032437548864987047),
        (0.0, 52.72385699426606, 0.005280968985236493),
        (180.0, -56.74507678910424, 0.07822273207516026),
        (12.3, 41.8103148958, 0.01),  # where the polar caps begin
    ],
)
def test_no_corner_of_a_cone_is_left_out(ra, dec, radius):
    rng = np.random.default_rng(0)
    apart, toward = radius * np.sqrt(rng.random(4000)), rng.uniform(0, 2 * np.pi, 4000)
    decs = dec + apart * np.sin(toward)
    ras = (ra + apart * np.cos(toward) / np.cos(np.radians(dec))) % 360
    index = healpix_of(ras, decs)[separation_arcsec(ras, decs, ra, dec) <= radius * 3600]
    firsts, lasts = np.array(cone_ranges(ra, dec, radius)).T
    assert ((index[:, None] >= firsts) & (index[:, None] <= lasts)).any(axis=1).all()


def test_an_index_is_of_order_16():
    assert 0 <= healpix_of(0.0, -90.0) < 12 * 4**ORDER


@pytest.mark.django_db
def test_a_cone_with_too_many_rows_gives_the_nearest(monkeypatch):
    monkeypatch.setattr(selectors, "MAX_ROWS", 5)
    monkeypatch.setattr(selectors, "CHUNK", 7)
    subjects = factories.make_subjects(30)
    apart = separation_arcsec(
        [one.ra_deg for one in subjects], [one.dec_deg for one in subjects], 0.0, 0.0
    )
    nearest = {subjects[place].pk for place in np.argsort(apart)[:5]}
    found = rows_in_cone(Subject.objects.all(), Cone.of(0.0, 0.0, 180.0))
    assert {one.pk for one in found} == nearest


@pytest.mark.django_db
@pytest.mark.parametrize("center", [(0.0, 0.0), (359.9999, 45.0), (120.0, 90.0), (10.0, -89.99)])
def test_rows_in_a_cone_are_those_within_the_radius(center):
    survey = factories.make_survey()
    rng = np.random.default_rng(2)
    ras = (center[0] + rng.normal(0, 0.05, 60)) % 360
    decs = np.clip(center[1] + rng.normal(0, 0.05, 60), -90, 90)
    for ra, dec in zip(ras, decs, strict=True):
        factories.make_subject(
            survey=survey, ra_deg=ra, dec_deg=dec, healpix=int(healpix_of(ra, dec))
        )
    found = rows_in_cone(Subject.objects.all(), Cone.of(*center, 0.05))
    near = separation_arcsec(ras, decs, *center) <= 180
    assert found.count() == near.sum() > 0


@pytest.mark.parametrize("text", ["1,2", "a,b,c", "1,91,1", "1,2,-1", "nan,1,1", "1,2,181"])
def test_what_is_no_cone_is_refused(text):
    with pytest.raises(ConeError, match=r"[Aa] cone"):
        Cone.parse(text)


def test_a_negative_right_ascension_wraps():
    assert Cone.parse("-10,5,1").ra_deg == 350


@settings(deadline=None, max_examples=30)
@given(ra=st.floats(0, 359.999), dec=st.floats(-90, 90), seed=st.integers(0, 1000))
def test_positions_are_near_as_the_plain_separation_says(ra, dec, seed):
    rng = np.random.default_rng(seed)
    ras, other_ras = ((ra + rng.normal(0, 0.01, (2, 40))) % 360).reshape(2, -1)
    decs, other_decs = np.clip(dec + rng.normal(0, 0.01, (2, 40)), -90, 90)
    plain = [
        bool((separation_arcsec(other_ras, other_decs, a, d) <= 20).any())
        for a, d in zip(ras, decs, strict=True)
    ]
    near = is_near(ras, decs, other_ras, other_decs, radius_arcsec=20)
    assert near.tolist() == plain


def test_nothing_is_near_nothing():
    assert not is_near([1.0], [2.0], [], [], radius_arcsec=10).any()
