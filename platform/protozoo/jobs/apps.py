"""Tells Django of this app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "protozoo.jobs"
