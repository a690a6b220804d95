"""Tells Django of this app."""

from django.apps import AppConfig


class VotingConfig(AppConfig):
    name = "protozoo.voting"
