"""What all of the API shares: pages of results and one shape for every error."""

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found
from rest_framework import status
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from protozoo.exceptions import ProtoZooError

API: Final = "/api/"


class Pages(PageNumberPagination):
    page_size_query_param = "page_size"
    max_page_size = 1000


def error_response(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Answer `{"error": {"code", "message", "fields"}}`, whatever went wrong."""
    if isinstance(exception, ProtoZooError):
        body = {"code": exception.code, "message": str(exception), "fields": {}}
        return Response({"error": body}, status=exception.status)
    response = exception_handler(exception, context)
    if response is None:
        return None
    response.data = {"error": _error_body(exception, response)}
    return response


def _error_body(exception: Exception, response: Response) -> dict[str, Any]:
    data = response.data
    if response.status_code == status.HTTP_400_BAD_REQUEST and isinstance(data, dict):
        fields = {name: _sentences(value) for name, value in data.items() if name != "detail"}
        if fields:
            first = next(iter(fields))
            message = f"{first}: {fields[first]}"
            return {"code": "invalid", "message": message, "fields": fields}
    detail = data.get("detail", "") if isinstance(data, dict) else data
    return {"code": _code(exception), "message": _sentences(detail), "fields": {}}


def _code(exception: Exception) -> str:
    match exception:
        case Http404():
            return "not_found"
        case PermissionDenied():
            return "permission_denied"
        case _:
            return str(getattr(exception, "default_code", "error"))


def _sentences(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(_sentences(part) for part in value)
    if isinstance(value, dict):
        return " ".join(f"{name}: {_sentences(part)}" for name, part in value.items())
    return str(value)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer at an unknown address: a program in the API's shape, a person with a page."""
    if not request.path.startswith(API):
        return page_not_found(request, exception)
    body = {"code": "not_found", "message": _("There is nothing at this address."), "fields": {}}
    return JsonResponse({"error": body}, status=404)
