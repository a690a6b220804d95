"""Collects the texts of the site into its catalogues of translations and compiles them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from protozoo.config.catalogues import Catalogue, texts_collect


class Command(BaseCommand):
    help = (
        "Collect every text of templates, Python, islands and question trees into"
        " frontend/locale/LANGUAGE/LC_MESSAGES/django.po, and compile it for the server and the"
        " islands. Run it, translate what is new in django.po, and run it again."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Change nothing; fail if anything is out of date or not translated.",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        collected = texts_collect()
        problems = []
        for language, _name in settings.LANGUAGES:
            if language == settings.LANGUAGE_CODE:
                continue
            catalogue = Catalogue(language)
            if not check:
                catalogue.update(collected)
            problems += [f"{language}: {each}" for each in catalogue.problems(collected)]
        for problem in problems:
            self.stdout.write(problem)
        if check and problems:
            raise CommandError(
                "The catalogues are not whole: run 'manage.py messages' and translate what it names"
                " in django.po."
            )
