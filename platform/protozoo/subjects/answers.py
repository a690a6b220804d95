"""Answers with pictures and pixels, which browsers may keep for good under a versioned address."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from protozoo.exceptions import ProtoZooError

# Part of every version: a change in how pictures are drawn or pixels written must change it.
DRAWING: Final = "1"
YEAR_S: Final = 60 * 60 * 24 * 365
# An address without the current version may show something else soon.
UNVERSIONED_S: Final = 60


def version_of(*parts: object) -> str:
    """Shorten what a picture depends on to a word for its address."""
    said = "\0".join(str(part) for part in (DRAWING, *parts))
    return sha256(said.encode()).hexdigest()[:12]


def kept_answer(
    request: HttpRequest, *, version: str, form: str, make: Callable[[], HttpResponse]
) -> HttpResponseBase:
    """Answer with what `make` gives, with 304 if the reader has it, or say what is wrong.

    `form` tells apart the forms, such as sizes, in which one version is answered.
    """
    etag = quote_etag(version_of(version, form))
    answer = get_conditional_response(request, etag=etag)
    if answer is None:
        try:
            answer = make()
        except ProtoZooError as error:
            return refusal(error)
        answer["ETag"] = etag
    if request.GET.get("v") == version:
        answer["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        answer["Cache-Control"] = f"public, max-age={UNVERSIONED_S}"
    return answer


def refusal(error: ProtoZooError) -> HttpResponse:
    """Say in a sentence why there is no picture."""
    return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
