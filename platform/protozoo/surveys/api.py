"""The API of surveys; its addresses stand at the end."""

from typing import Any

from django.urls import URLPattern, path
from rest_framework import generics, serializers

from protozoo.surveys.models import Survey
from protozoo.surveys.selectors import surveys


class SurveySerializer(serializers.ModelSerializer[Survey]):
    n_subjects = serializers.IntegerField(read_only=True)

    class Meta:
        model = Survey
        fields = [
            "id", "slug", "title", "description", "licence", "citation", "credit", "image_size",
            "n_channels", "pixel_scale_arcsec", "recipe", "audit_fraction", "n_subjects",
            "created_at",
        ]  # fmt: skip
        read_only_fields: list[Any] = fields


class SurveyList(generics.ListAPIView[Survey]):
    """All surveys."""

    queryset = surveys()
    serializer_class = SurveySerializer


class SurveyDetail(generics.RetrieveAPIView[Survey]):
    """One survey with its licence and citation."""

    queryset = surveys()
    serializer_class = SurveySerializer
    lookup_field = "slug"


urlpatterns: list[URLPattern] = [
    path("surveys/", SurveyList.as_view(), name="api-surveys"),
    path("surveys/<slug:slug>/", SurveyDetail.as_view(), name="api-survey"),
]
