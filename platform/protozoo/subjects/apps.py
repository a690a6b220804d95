"""Tells Django of this app."""

from django.apps import AppConfig


class SubjectsConfig(AppConfig):
    name = "protozoo.subjects"
