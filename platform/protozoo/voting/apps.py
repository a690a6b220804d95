"""Tells Django of this app, and registers its checks."""

from django.apps import AppConfig


class VotingConfig(AppConfig):
    name = "protozoo.voting"

    def ready(self) -> None:
        from protozoo.voting import checks  # noqa: F401  (registers itself)
