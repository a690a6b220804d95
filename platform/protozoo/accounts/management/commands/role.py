"""`manage.py role`: gives somebody a role."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from protozoo.accounts.models import User
from protozoo.accounts.roles import ADMIN, PERMISSIONS_OF_ROLE
from protozoo.accounts.services import role_grant


class Command(BaseCommand):
    help = "Make an account a volunteer's, a scientist's (reviews) or an admin's (imports, jobs)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="user name of the account")
        parser.add_argument("role", choices=list(PERMISSIONS_OF_ROLE))

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['name']!r}; let them sign up first.")
        role_grant(user=user, role=options["role"])
        article = "an" if options["role"] == ADMIN else "a"
        self.stdout.write(f"{user} is now {article} {options['role']}.")
