"""The cookie names an anonymous volunteer, and only the site can write it."""

import uuid
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.http import HttpResponse
from hypothesis import example, given
from hypothesis import strategies as st

from protozoo.accounts.cookies import volunteer_cookie_delete, volunteer_cookie_set
from protozoo.accounts.selectors import COOKIE_SALT, cookie_token, volunteer_of_request
from tests.factories import make_annie, make_volunteer

NAME = settings.VOLUNTEER_COOKIE_NAME


def cookie_of(token):
    response = HttpResponse()
    volunteer_cookie_set(response, token=token)
    return response.cookies[NAME].value


def request_with(rf, value):
    request = rf.get("/")
    request.user = AnonymousUser()
    if value is not None:
        request.COOKIES[NAME] = value
    return request


@given(token=st.uuids())
def test_what_is_written_is_read(token):
    from django.test import RequestFactory

    assert cookie_token(request_with(RequestFactory(), cookie_of(token))) == token


@given(value=st.text())
@example(value=str(uuid.UUID(int=1)))
@example(value="a:b:c")
def test_what_others_write_is_not(value):
    from django.test import RequestFactory

    assert cookie_token(request_with(RequestFactory(), value)) is None


def test_without_a_cookie_there_is_no_token(rf):
    assert cookie_token(request_with(rf, None)) is None


def test_a_signature_for_something_else_does_not_serve(rf):
    value = signing.get_cookie_signer(salt=NAME + "another.purpose").sign(str(uuid.uuid4()))
    assert cookie_token(request_with(rf, value)) is None


def test_a_signed_value_that_is_no_token_is_ignored(rf):
    value = signing.get_cookie_signer(salt=NAME + COOKIE_SALT).sign("annie")
    assert cookie_token(request_with(rf, value)) is None


def test_it_lasts_half_a_year(rf, monkeypatch):
    import time

    value = cookie_of(uuid.uuid4())
    start = time.time()
    for days, is_known in ((180, True), (190, False)):
        later = start + timedelta(days=days).total_seconds()
        monkeypatch.setattr(time, "time", lambda now=later: now)
        assert (cookie_token(request_with(rf, value)) is not None) == is_known


def test_scripts_and_other_sites_do_not_get_it(settings):
    settings.HTTPS = True
    response = HttpResponse()
    volunteer_cookie_set(response, token=uuid.uuid4())
    cookie = response.cookies[NAME]
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    volunteer_cookie_delete(response)
    assert response.cookies[NAME].value == ""


@pytest.mark.django_db
def test_it_leads_to_its_volunteer(rf):
    volunteer = make_volunteer()
    assert volunteer_of_request(request_with(rf, cookie_of(volunteer.token))) == volunteer


@pytest.mark.django_db
def test_an_account_goes_before_the_cookie(rf):
    annie = make_volunteer(make_annie())
    request = request_with(rf, cookie_of(make_volunteer().token))
    request.user = annie.user
    assert volunteer_of_request(request) == annie


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", "account", "simulation"])
def test_it_leads_to_anonymous_volunteers_alone(rf, who):
    volunteer = {
        "nobody": lambda: None,
        "account": lambda: make_volunteer(make_annie()),
        "simulation": lambda: make_volunteer(is_simulated=True),
    }[who]()
    token = volunteer.token if volunteer else uuid.uuid4()
    assert volunteer_of_request(request_with(rf, cookie_of(token))) is None
