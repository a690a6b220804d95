"""The API of maps; its addresses stand at the end. Prototypes with classes: see consensus."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from protozoo.sorting.models import Assignment, Sorting
from protozoo.sorting.pictures import member_picture_url, sorting_picture_url
from protozoo.sorting.selectors import (
    members_of,
    outlier_histogram,
    outliers_of,
    prototypes,
    sortings,
)
from protozoo.subjects.pictures import subject_picture_url


class SortingSerializer(serializers.ModelSerializer[Sorting]):
    survey = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    picture = serializers.SerializerMethodField()
    page = serializers.HyperlinkedIdentityField(view_name="sorting-map")

    class Meta:
        model = Sorting
        fields = [
            "id", "survey", "state", "rows", "columns", "topology", "is_periodic", "n_rotations",
            "n_epochs", "seed", "recipe", "n_subjects", "quantization_error", "topographic_error",
            "map_checksum", "created_at", "finished_at", "picture", "page",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_picture(self, sorting: Sorting) -> str:
        address: str = self.context["request"].build_absolute_uri(sorting_picture_url(sorting))
        return address


class SortingDetailSerializer(SortingSerializer):
    history = serializers.ListField(
        child=serializers.DictField(), help_text="Quality after each epoch."
    )

    class Meta(SortingSerializer.Meta):
        fields = [*SortingSerializer.Meta.fields, "history"]
        read_only_fields = fields


class MemberSerializer(serializers.ModelSerializer[Assignment]):
    """Where a subject lies and how it is turned into its prototype's frame."""

    identifier = serializers.CharField(source="subject.identifier", read_only=True)
    ra_deg = serializers.FloatField(source="subject.ra_deg", read_only=True)
    dec_deg = serializers.FloatField(source="subject.dec_deg", read_only=True)
    picture = serializers.SerializerMethodField()

    class Meta:
        model = Assignment
        fields = [
            "id", "subject", "identifier", "ra_deg", "dec_deg", "prototype", "second_prototype",
            "distance", "second_distance", "angle_rad", "is_flipped", "outlier_score",
            "outlier_rank", "picture",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_picture(self, member: Assignment) -> str:
        address: str = self.context["request"].build_absolute_uri(member_picture_url(member))
        return address


class OutlierSerializer(MemberSerializer):
    """A member of a map's list of strange subjects, shown as it lies on the sky."""

    @extend_schema_field(OpenApiTypes.URI)
    def get_picture(self, member: Assignment) -> str:
        shown = subject_picture_url(member.subject)
        address: str = self.context["request"].build_absolute_uri(shown)
        return address


class HistogramSerializer(serializers.Serializer[Any]):
    lowest = serializers.FloatField(allow_null=True)
    highest = serializers.FloatField(allow_null=True)
    counts = serializers.ListField(child=serializers.IntegerField())


class SortingList(generics.ListAPIView[Sorting]):
    """All maps."""

    queryset = sortings()
    serializer_class = SortingSerializer
    filterset_fields = {"survey__slug": ["exact"], "state": ["exact"]}


class SortingDetail(generics.RetrieveAPIView[Sorting]):
    """One map with its training history."""

    queryset = sortings()
    serializer_class = SortingDetailSerializer


class OutlierList(generics.ListAPIView[Assignment]):
    """All subjects of a map, the strangest first."""

    queryset = Assignment.objects.all()
    serializer_class = OutlierSerializer
    filterset_fields = {"outlier_rank": ["lte", "gte"]}

    def get_queryset(self) -> QuerySet[Assignment]:
        if getattr(self, "swagger_fake_view", False):
            return Assignment.objects.none()
        return outliers_of(get_object_or_404(sortings(), pk=self.kwargs["pk"]))


class MemberList(generics.ListAPIView[Assignment]):
    """A prototype's members, the most alike first."""

    queryset = Assignment.objects.all()
    serializer_class = MemberSerializer
    filterset_fields = {"distance": ["lte", "gte"]}

    def get_queryset(self) -> QuerySet[Assignment]:
        if getattr(self, "swagger_fake_view", False):
            return Assignment.objects.none()
        return members_of(get_object_or_404(prototypes(), pk=self.kwargs["pk"]))


class OutlierHistogram(APIView):
    """Numbers of subjects by outlier score, in bins of equal width."""

    queryset = Sorting.objects.all()

    @extend_schema(responses=HistogramSerializer)
    def get(self, request: Request, pk: int) -> Response:
        histogram = outlier_histogram(get_object_or_404(sortings(), pk=pk))
        if histogram is None:
            return Response({"lowest": None, "highest": None, "counts": []})
        return Response(HistogramSerializer(histogram).data)


urlpatterns: list[URLPattern] = [
    path("sortings/", SortingList.as_view(), name="api-sortings"),
    path("sortings/<int:pk>/", SortingDetail.as_view(), name="api-sorting"),
    path("sortings/<int:pk>/outliers/", OutlierList.as_view(), name="api-outliers"),
    path(
        "sortings/<int:pk>/outlier-histogram/",
        OutlierHistogram.as_view(),
        name="api-outlier-histogram",
    ),
    path("prototypes/<int:pk>/members/", MemberList.as_view(), name="api-members"),
]
