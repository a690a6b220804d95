"""The role command gives an account its role."""

import pytest
from django.core.management import CommandError, call_command

from protozoo.accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db


def test_it_makes_charlie_an_admin(capsys):
    factories.make_charlie()
    call_command("role", "charlie", "admin")
    charlie = User.objects.get()
    assert charlie.has_perm("accounts.operate")
    assert charlie.is_staff
    assert capsys.readouterr().out == "charlie is now an admin.\n"


def test_nobody_is_named():
    with pytest.raises(CommandError, match="no account 'nobody'"):
        call_command("role", "nobody", "scientist")
