import re

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


def test_sign_up_says_that_the_answers_are_kept(client) -> None:
    form = {"username": "annie", "password1": "the-draper-plates", "password2": "the-draper-plates"}
    text = client.post("/accounts/signup/", form, follow=True).content.decode()
    assert "Welcome, annie. The answers of this browser are with your account." in text
    assert text.index("Welcome, annie") < text.index("<h1>")


@pytest.mark.parametrize(
    ("path", "heading", "way_on"),
    [
        ("/accounts/password/reset/", "New password", "/accounts/login/"),
        ("/accounts/password/reset/done/", "Look into your mail", "/accounts/login/"),
        (
            "/accounts/password/reset/key/x-y/",
            "This link no longer works",
            "/accounts/password/reset/",
        ),
        (
            "/accounts/password/reset/key/done/",
            "Your password is changed",
            "/accounts/login/",
        ),
        ("/accounts/confirm-email/xyz/", "This link no longer works", "/accounts/email/"),
        ("/accounts/inactive/", "This account is closed", "/"),
    ],
)
def test_no_account_page_is_a_dead_end(client, path, heading, way_on) -> None:
    text = client.get(path).content.decode()
    main = text[text.index("<main") : text.index("</main>")]
    assert f"<h1>{heading}</h1>" in main
    assert f'href="{way_on}"' in main


def test_a_forgotten_password_is_replaced_by_mail(client, mailoutbox) -> None:
    make_annie()
    told = client.post("/accounts/password/reset/", {"email": "annie@example.org"}, follow=True)
    assert "Look into your mail" in told.content.decode()
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mailoutbox[0].body)[1]
    page = client.get(link, follow=True)
    assert "Choose a new password" in page.content.decode()
    new = {"password1": "the-new-draper-plates", "password2": "the-new-draper-plates"}
    done = client.post(page.redirect_chain[-1][0], new, follow=True).content.decode()
    assert "Your password is changed" in done
    assert client.login(username="annie", password="the-new-draper-plates")


def test_annie_changes_password_and_address_from_her_answers(client) -> None:
    client.force_login(make_annie())
    text = client.get("/me/").content.decode()
    for path, words in (
        ("/accounts/password/change/", "Change password"),
        ("/accounts/email/", "E-mail addresses"),
    ):
        assert f'href="{path}"' in text
        assert words in client.get(path).content.decode()
    added = client.post("/accounts/email/", {"email": "annie@work.example.org", "action_add": ""})
    assert added.status_code == 302
    assert "annie@work.example.org" in client.get("/accounts/email/").content.decode()
