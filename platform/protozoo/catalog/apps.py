"""Tells Django of this app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "protozoo.catalog"
