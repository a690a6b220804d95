"""Slows scripts down that make up volunteers or vote faster than anybody can look.

Each server process counts for itself, in its own memory: a site with four of them lets up to four
times as many through, which is as good against scripts and costs no query. Nobody is counted whose
address is not one of the open internet: behind a proxy that the site does not know of (`PROXIES`)
all visitors would share the proxy's.
"""

import ipaddress
from time import time
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from protozoo.accounts.models import Volunteer

HOUR_S: Final = 3600
MINUTE_S: Final = 60
IPV4: Final = 4
# Bits of an IPv6 address that tell one visitor's network from another.
NETWORK_BITS: Final = 64


def newcomer_admit(request: Request) -> None:
    """Refuse to make one more volunteer for an address that has had very many within the hour."""
    address = _open_address(request)
    limit = settings.NEW_VOLUNTEERS_PER_HOUR
    if address and limit and _count(f"newcomers:{address}", HOUR_S) > limit:
        raise Throttled(
            _wait(HOUR_S), _("Very many new volunteers have come from your network just now.")
        )


def vote_admit(request: Request, volunteer: Volunteer) -> None:
    """Refuse one more vote of a volunteer who votes faster than anybody can look."""
    limit = settings.VOTES_PER_MINUTE
    is_counted = limit and _open_address(request)
    if is_counted and _count(f"votes:{volunteer.pk}", MINUTE_S) > limit:
        raise Throttled(_wait(MINUTE_S), _("These are more answers a minute than we can take."))


def _open_address(request: Request) -> str:
    """Give the visitor's address on the open internet, or nothing.

    Of IPv6 it is the network: each visitor has one, with more addresses than could be counted.
    """
    try:
        address = ipaddress.ip_address(BaseThrottle().get_ident(request) or "")
    except ValueError:
        return ""
    if not address.is_global:
        return ""
    if address.version == IPV4:
        return str(address)
    return str(ipaddress.ip_network((int(address), NETWORK_BITS), strict=False))


def _count(what: str, period_s: int) -> int:
    """Count what happens within this hour or minute of the clock."""
    key = f"limits:{int(time() // period_s)}:{what}"
    cache.add(key, 0, timeout=period_s)
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two lines
        return 1


def _wait(period_s: int) -> int:
    return period_s - int(time() % period_s)
