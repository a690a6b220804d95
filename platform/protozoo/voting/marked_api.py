"""The API of what volunteers have marked; `api.py` lists its addresses."""

from typing import Any

from django.urls import URLPattern, path
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from protozoo.sorting.models import Prototype
from protozoo.sorting.selectors import prototypes
from protozoo.subjects.models import Subject
from protozoo.subjects.selectors import subjects
from protozoo.voting.marked import marked_prototype, marked_subject
from protozoo.voting.trees import SHAPES


class MarkedSpotSerializer(serializers.Serializer[Any]):
    """A spot of a picture, from its center: x to the right and y up."""

    role = serializers.CharField(help_text="Key of the role in the question's tree.")
    role_title = serializers.CharField()
    shape = serializers.ChoiceField(SHAPES)
    x_arcsec = serializers.FloatField()
    y_arcsec = serializers.FloatField()
    width_arcsec = serializers.FloatField(allow_null=True, help_text="Of a box, as its height.")
    height_arcsec = serializers.FloatField(allow_null=True)
    angle_deg = serializers.FloatField(
        help_text="By which a box is turned counter-clockwise about its center."
    )
    ra_deg = serializers.FloatField(
        allow_null=True,
        help_text="ICRS, taking north for up in the subject's cutout; null on a prototype.",
    )
    dec_deg = serializers.FloatField(allow_null=True)
    prototype = serializers.PrimaryKeyRelatedField[Prototype](
        read_only=True,
        allow_null=True,
        help_text="From which a subject has the spot; null: it was put on this very picture.",
    )
    volunteer = serializers.IntegerField(
        allow_null=True,
        help_text="Tells those apart who marked the same picture; null where several agree.",
    )
    n_volunteers = serializers.IntegerField(help_text="Who marked this spot.")
    n_asked = serializers.IntegerField(help_text="Who marked the picture, or was asked to.")
    scatter_arcsec = serializers.FloatField(
        allow_null=True, help_text="Of one volunteer's mark along one axis, where several agree."
    )


class MarkedPictureSerializer(serializers.Serializer[Any]):
    """What was marked in one picture."""

    half_arcsec = serializers.FloatField(help_text="Half the side of the picture.")
    agreed = MarkedSpotSerializer(
        many=True, help_text="Spots on which at least half of the people agree, and at least two."
    )
    marks = MarkedSpotSerializer(many=True, help_text="Each single mark.")


class PrototypeMarks(generics.GenericAPIView[Prototype]):
    """What volunteers marked on a prototype, in its own frame."""

    queryset = prototypes()
    serializer_class = MarkedPictureSerializer

    def get(self, request: Request, pk: int) -> Response:
        return Response(MarkedPictureSerializer(marked_prototype(self.get_object())).data)


class SubjectMarks(generics.GenericAPIView[Subject]):
    """What volunteers marked on a subject and on its prototypes, in the subject's own frame."""

    queryset = subjects()
    serializer_class = MarkedPictureSerializer

    def get(self, request: Request, pk: int) -> Response:
        return Response(MarkedPictureSerializer(marked_subject(self.get_object())).data)


urlpatterns: list[URLPattern] = [
    path("prototypes/<int:pk>/marks/", PrototypeMarks.as_view(), name="api-prototype-marks"),
    path("subjects/<int:pk>/marks/", SubjectMarks.as_view(), name="api-subject-marks"),
]
