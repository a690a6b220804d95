"""Pictures of prototypes, of members, and of whole maps; pixels of the first two."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from protozoo.sorting import pictures, pixels
from protozoo.sorting.models import Assignment
from protozoo.sorting.selectors import prototypes, sortings
from protozoo.subjects.pictures import picture_answer
from protozoo.subjects.pixels import pixels_answer


@require_safe
def prototype_picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    prototype = get_object_or_404(prototypes(), pk=pk)
    return picture_answer(
        request,
        version=pixels.sorting_version(prototype.sorting),
        draw=lambda asked: pictures.draw_prototype(prototype, asked),
        stretch=pictures.PROTOTYPE_STRETCH,
    )


@require_safe
def member_picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    member = get_object_or_404(Assignment.objects.select_related("subject__survey"), pk=pk)
    return picture_answer(
        request,
        version=pixels.member_version(member),
        draw=lambda asked: pictures.draw_member(member, asked),
    )


@require_safe
def prototype_pixels(request: HttpRequest, pk: int) -> HttpResponseBase:
    prototype = get_object_or_404(prototypes(), pk=pk)
    return pixels_answer(
        request,
        version=pixels.sorting_version(prototype.sorting),
        write=lambda: pixels.prototype_fits(prototype),
    )


@require_safe
def member_pixels(request: HttpRequest, pk: int) -> HttpResponseBase:
    member = get_object_or_404(Assignment.objects.select_related("subject__survey"), pk=pk)
    return pixels_answer(
        request,
        version=pixels.member_version(member),
        write=lambda: pixels.member_fits(member),
    )


@require_safe
def sorting_picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    sorting = get_object_or_404(sortings(), pk=pk)
    return picture_answer(
        request,
        version=pixels.sorting_version(sorting),
        draw=lambda asked: pictures.draw_sheet(sorting, asked),
        stretch=pictures.PROTOTYPE_STRETCH,
    )
