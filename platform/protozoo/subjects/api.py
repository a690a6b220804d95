"""The API of subjects; its addresses stand at the end."""

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern, path
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import generics, serializers

from protozoo.sky.selectors import Cone, rows_in_cone
from protozoo.subjects.models import Subject
from protozoo.subjects.pictures import subject_picture_url
from protozoo.subjects.selectors import subjects


class SubjectFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    survey = filters.CharFilter(field_name="survey__slug", help_text="Short name of a survey.")
    identifier = filters.CharFilter(help_text="The survey's own name of the subject.")
    cone = filters.CharFilter(
        method="in_cone",
        help_text="Right ascension, declination and radius: 'ra,dec,radius' in degrees.",
    )

    class Meta:
        model = Subject
        fields = ["survey", "identifier", "is_audit", "cone"]

    def in_cone(self, rows: QuerySet[Subject], name: str, value: str) -> QuerySet[Subject]:
        return rows_in_cone(rows, Cone.parse(value))


class SubjectSerializer(serializers.ModelSerializer[Subject]):
    survey = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    picture = serializers.SerializerMethodField()
    page = serializers.HyperlinkedIdentityField(view_name="subject")

    class Meta:
        model = Subject
        fields = [
            "id", "survey", "identifier", "ra_deg", "dec_deg", "is_audit", "picture", "page",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_picture(self, subject: Subject) -> str:
        address: str = self.context["request"].build_absolute_uri(subject_picture_url(subject))
        return address


class SubjectDetailSerializer(SubjectSerializer):
    class Meta(SubjectSerializer.Meta):
        fields = [*SubjectSerializer.Meta.fields, "origin", "columns"]
        read_only_fields = fields


class SubjectList(generics.ListAPIView[Subject]):
    """All subjects, of one survey or inside a cone on the sky."""

    queryset = subjects()
    serializer_class = SubjectSerializer
    filterset_class = SubjectFilter


class SubjectDetail(generics.RetrieveAPIView[Subject]):
    """One subject with all columns of its survey's table."""

    queryset = subjects()
    serializer_class = SubjectDetailSerializer


urlpatterns: list[URLPattern] = [
    path("subjects/", SubjectList.as_view(), name="api-subjects"),
    path("subjects/<int:pk>/", SubjectDetail.as_view(), name="api-subject"),
]
