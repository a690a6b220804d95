"""Reports observers of votes that cannot be called."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from protozoo.voting.observers import observer_load


@register()
def observers_are_there(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    return [
        Error(
            f"VOTE_OBSERVERS names {path!r}: {fault}.",
            hint="Name a function that takes a vote, such as protozoo.consensus.services.observe.",
            obj="VOTE_OBSERVERS",
            id="protozoo.E002",
        )
        for path in settings.VOTE_OBSERVERS
        if (fault := _fault(path))
    ]


def _fault(path: str) -> str:
    try:
        observer = observer_load(path)
    except ImportError as error:
        return str(error)
    return "" if callable(observer) else "it cannot be called"
