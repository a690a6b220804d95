"""Reports every environment variable whose value cannot be used."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from protozoo.config import environment


@register()
def environment_is_usable(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    return [
        Error(problem.message, hint=problem.hint, obj=problem.variable, id="protozoo.E001")
        for problem in environment.PROBLEMS
    ]
