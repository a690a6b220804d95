"""Tells Django of this app."""

from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "protozoo.pipeline"
