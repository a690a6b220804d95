"""Tells of new votes whoever asked for it in the setting VOTE_OBSERVERS.

Apps above voting update what they believe with each vote; voting itself knows none of them.
"""

import logging
from typing import Protocol, cast

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from protozoo.voting.models import Vote

_LOG = logging.getLogger(__name__)


class Observer(Protocol):
    """Takes a new vote; runs in the vote's own transaction."""

    def __call__(self, *, vote: Vote) -> None: ...


def observer_load(path: str) -> Observer:
    """Import an observer by its dotted path."""
    return cast(Observer, import_string(path))


def observers_tell(vote: Vote) -> None:
    """Call all observers; what one of them breaks is undone and never costs the vote."""
    for path in settings.VOTE_OBSERVERS:
        try:
            with transaction.atomic():
                observer_load(path)(vote=vote)
        except Exception:  # noqa: BLE001  # whatever goes wrong up there, the vote stays
            _LOG.exception("The observer %s failed on vote %s; the vote stands.", path, vote.pk)
