import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from protozoo.accounts.models import User
from tests.factories import make_annie, make_charlie

pytestmark = pytest.mark.django_db


def test_sign_up_makes_an_account_that_may_classify(client) -> None:
    form = {"username": "annie", "password1": "the-draper-plates", "password2": "the-draper-plates"}
    answer = client.post("/accounts/signup/", form)
    assert answer.status_code == 302
    assert answer["Location"] == "/"
    assert User.objects.get().has_perm("accounts.classify")


def test_a_wrong_password_is_told_in_the_form(client) -> None:
    make_annie()
    page = client.post("/accounts/login/", {"login": "annie", "password": "wrong"})
    assert page.status_code == 200
    assert 'class="errorlist' in page.content.decode()


def test_every_field_of_the_forms_has_its_label(client) -> None:
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"):
        text = client.get(path).content.decode()
        for part in text.split('<div class="field">')[1:]:
            assert "<label for=" in part


def test_log_out_asks_first(client) -> None:
    client.force_login(make_annie())
    assert (
        "Your answers stay with your account." in client.get("/accounts/logout/").content.decode()
    )
    assert client.post("/accounts/logout/").status_code == 302
    assert "Log in" in client.get("/").content.decode()


def test_a_stale_form_is_told_to_try_again() -> None:
    page = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "annie"})
    assert page.status_code == 403
    assert "Please try that again" in page.content.decode()


@pytest.mark.parametrize(
    ("user", "words"), [(None, "Log in with an account"), ("charlie", "Your account may not")]
)
def test_what_is_not_allowed_says_what_to_do(user, words) -> None:
    request = RequestFactory().get("/jobs/")
    request.user = make_charlie() if user else AnonymousUser()
    assert words in render_to_string("403.html", request=request)


def test_the_page_of_last_resort_needs_nothing() -> None:
    text = render_to_string("500.html")
    assert "Something broke on our side" in text
    assert "/static/broken.css" in text
