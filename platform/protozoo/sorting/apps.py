"""Tells Django of this app."""

from django.apps import AppConfig


class SortingConfig(AppConfig):
    name = "protozoo.sorting"
