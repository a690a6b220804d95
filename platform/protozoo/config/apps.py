"""Registers the checks of the settings."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "protozoo.config"

    def ready(self) -> None:
        from protozoo.config import checks  # noqa: F401  (registers itself)
