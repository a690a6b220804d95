"""The three roles, and who is let into the admin."""

import pytest
from django.contrib.auth.models import Group, Permission

from protozoo.accounts.models import User
from protozoo.accounts.roles import PERMISSIONS_OF_ROLE
from protozoo.accounts.services import role_grant
from tests.factories import (
    make_annie,
    make_campaign,
    make_charlie,
    make_edward,
    make_user,
    make_vote,
    make_williamina,
)

pytestmark = pytest.mark.django_db

DEEDS = ["classify", "review", "operate"]


def test_migrations_made_the_roles_of_the_code():
    made = {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.all()
    }
    assert made == {role: set(names) for role, names in PERMISSIONS_OF_ROLE.items()}


def test_the_permissions_exist_once():
    own = Permission.objects.filter(content_type__app_label="accounts", codename__in=DEEDS)
    assert sorted(own.values_list("codename", flat=True)) == sorted(DEEDS)
    assert set(own.values_list("content_type__model", flat=True)) == {"user"}


@pytest.mark.parametrize(
    ("make", "may"),
    [
        (make_annie, {"classify"}),
        (make_williamina, {"classify", "review"}),
        (make_edward, {"classify", "review", "operate"}),
        (make_charlie, set()),
    ],
)
def test_everybody_may_do_what_their_role_says(make, may):
    user = make()
    assert {deed for deed in DEEDS if user.has_perm(f"accounts.{deed}")} == may


def test_an_unknown_role_is_refused():
    with pytest.raises(ValueError, match="role must be one of volunteer, scientist, admin"):
        role_grant(user=make_charlie(), role="king")


def test_a_role_may_be_granted_twice():
    edward = make_edward()
    role_grant(user=edward, role="admin")
    assert edward.groups.count() == 1


ADMIN_PAGES = [
    "/admin/",
    "/admin/accounts/volunteer/",
    "/admin/voting/campaign/",
    "/admin/voting/question/",
    "/admin/voting/item/",
    "/admin/voting/vote/",
]


@pytest.mark.parametrize("address", ADMIN_PAGES)
def test_an_admin_looks_at_everything(client, address):
    vote = make_vote()
    client.force_login(make_edward())
    page = client.get(address)
    assert page.status_code == 200
    if address != "/admin/":
        (model,) = page.context["cl"].queryset[:1]
        one = client.get(f"{address}{model.pk}/change/")
        assert one.status_code == 200
    assert str(vote.volunteer.token) not in page.content.decode()


@pytest.mark.parametrize("make", [make_annie, make_williamina, make_charlie])
@pytest.mark.parametrize("address", ADMIN_PAGES)
def test_others_do_not(client, address, make):
    client.force_login(make())
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("model", ["question", "item", "vote"])
def test_nobody_changes_or_deletes_what_was_asked_and_answered(client, model):
    vote = make_vote()
    row = {"vote": vote, "item": vote.item, "question": vote.question}[model]
    client.force_login(make_user("root", is_superuser=True, is_staff=True))
    assert client.get(f"/admin/voting/{model}/add/").status_code == 403
    assert client.post(f"/admin/voting/{model}/{row.pk}/change/", {}).status_code == 403
    assert (
        client.post(f"/admin/voting/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    row.refresh_from_db()


def test_an_admin_closes_and_reopens_a_campaign(client):
    campaign = make_campaign()
    client.force_login(make_edward())
    for action, state in (("close", "closed"), ("reopen", "open")):
        client.post(
            "/admin/voting/campaign/", {"action": action, "_selected_action": [campaign.pk]}
        )
        campaign.refresh_from_db()
        assert campaign.state == state


def test_an_admin_does_not_edit_users(client):
    client.force_login(make_edward())
    assert client.get("/admin/accounts/user/").status_code == 403
    assert User.objects.count() == 1
