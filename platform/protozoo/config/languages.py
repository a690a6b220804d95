"""Answers in the language that a reader has chosen, or that their browser asks for."""

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers

# Only these hold words; pictures and files are the same in every language, also for caches.
WORDED: Final = ("text/html", "application/json")
# What anybody's cache may keep is the same for everybody.
SHARED: Final = "public"


class LanguageMiddleware(LocaleMiddleware):
    """Django's, but caches are told what the language hangs on, and only where there are words."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_worded = response.get("Content-Type", "").startswith(WORDED)
        if not is_worded or response.get("Cache-Control", "").startswith(SHARED):
            return response
        patch_vary_headers(response, ("Cookie",))
        return super().process_response(request, response)
