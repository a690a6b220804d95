"""Tells Django of this app."""

from django.apps import AppConfig


class ConsensusConfig(AppConfig):
    name = "protozoo.consensus"
