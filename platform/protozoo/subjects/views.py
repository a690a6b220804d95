"""The picture of a subject, and its pixels."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from protozoo.subjects.pictures import draw_subject, picture_answer
from protozoo.subjects.pixels import pixels_answer, subject_fits, subject_version
from protozoo.subjects.selectors import subjects


@require_safe
def subject_picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    subject = get_object_or_404(subjects(), pk=pk)
    return picture_answer(
        request,
        version=subject_version(subject),
        draw=lambda asked: draw_subject(subject, asked),
    )


@require_safe
def subject_pixels(request: HttpRequest, pk: int) -> HttpResponseBase:
    subject = get_object_or_404(subjects(), pk=pk)
    return pixels_answer(
        request, version=subject_version(subject), write=lambda: subject_fits(subject)
    )
