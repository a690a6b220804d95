"""Tells Django of this app."""

from django.apps import AppConfig


class SurveysConfig(AppConfig):
    name = "protozoo.surveys"
