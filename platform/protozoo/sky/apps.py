"""Tells Django of this app."""

from django.apps import AppConfig


class SkyConfig(AppConfig):
    name = "protozoo.sky"
