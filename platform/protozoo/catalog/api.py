"""The API of catalogs; its addresses stand at the end."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from protozoo.catalog.models import Entry, Release
from protozoo.catalog.scs import CONTENT_TYPE, MAX_ROWS, cone_search, error_document
from protozoo.catalog.selectors import release_entries, releases
from protozoo.sky.selectors import Cone, rows_in_cone


class FileSerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.URLField()


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    campaign = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    survey = serializers.SlugRelatedField[Any](
        source="campaign.sorting.survey", slug_field="slug", read_only=True
    )
    title = serializers.CharField(source="__str__", read_only=True)
    classes = serializers.ListField(
        source="run.classes", child=serializers.CharField(), read_only=True
    )
    figures = serializers.DictField(read_only=True)
    page = serializers.HyperlinkedIdentityField(view_name="release")

    class Meta:
        model = Release
        fields = [
            "id", "campaign", "survey", "version", "title", "notes", "n_rows", "classes",
            "figures", "frozen_at", "page",
        ]  # fmt: skip
        read_only_fields = fields


class ReleaseDetailSerializer(ReleaseSerializer):
    provenance = serializers.DictField(read_only=True)
    files = serializers.SerializerMethodField()

    class Meta(ReleaseSerializer.Meta):
        fields = [*ReleaseSerializer.Meta.fields, "provenance", "files"]
        read_only_fields = fields

    @extend_schema_field(FileSerializer(many=True))
    def get_files(self, release: Release) -> list[dict[str, Any]]:
        address = self.context["request"].build_absolute_uri
        return [
            {**file, "url": address(reverse("release-file", args=[release.pk, file["name"]]))}
            for file in release.files
        ]


class EntrySerializer(serializers.ModelSerializer[Entry]):
    probabilities = serializers.SerializerMethodField(help_text="Class -> probability.")
    n_votes = serializers.IntegerField(read_only=True)

    class Meta:
        model = Entry
        fields = [
            "id", "subject", "identifier", "ra_deg", "dec_deg", "label", "is_unknown",
            "probability", "probabilities", "entropy_bits", "source", "n_votes",
            "n_votes_prototype", "n_votes_grid", "n_votes_direct", "n_volunteers", "reliability",
            "weight_prototype", "weight_head", "weight_grid", "weight_direct", "weight_prior",
            "prototype_row", "prototype_column", "distance", "angle_rad", "is_flipped",
            "outlier_rank", "outlier_score", "is_audit",
        ]  # fmt: skip
        read_only_fields = fields

    def get_probabilities(self, entry: Entry) -> dict[str, float]:
        classes = self.context["release"].run.classes
        return dict(zip(classes, entry.probabilities, strict=True))


class EntryFilter(filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    cone = filters.CharFilter(
        method="in_cone",
        help_text="Right ascension, declination and radius: 'ra,dec,radius' in degrees.",
    )
    label = filters.CharFilter(help_text="Key of a class, or 'unknown'.")
    min_probability = filters.NumberFilter(
        field_name="probability",
        lookup_expr="gte",
        min_value=0,
        max_value=1,
        help_text="Least probability of the label.",
    )

    class Meta:
        model = Entry
        fields = ["cone", "label", "min_probability"]

    def in_cone(self, rows: QuerySet[Entry], name: str, value: str) -> QuerySet[Entry]:
        return rows_in_cone(rows, Cone.parse(value))


class ReleaseList(generics.ListAPIView[Release]):
    """All frozen catalogs, the newest first."""

    queryset = releases().defer("provenance")
    serializer_class = ReleaseSerializer


class ReleaseDetail(generics.RetrieveAPIView[Release]):
    """One catalog with its provenance and files."""

    queryset = releases()
    serializer_class = ReleaseDetailSerializer


class ReleaseEntries(generics.ListAPIView[Entry]):
    """The rows of a catalog: all, inside a cone, of one class, or above a probability."""

    queryset = Entry.objects.none()
    serializer_class = EntrySerializer
    filterset_class = EntryFilter

    def get_queryset(self) -> QuerySet[Entry]:
        return release_entries(self._release())

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "release": self._release()}

    def _release(self) -> Release:
        if not hasattr(self, "_found"):
            self._found = get_object_or_404(releases(), pk=self.kwargs["pk"])
        return self._found


class VOTableRenderer(BaseRenderer):
    """Puts whatever goes wrong into a VOTable, as clients of a cone search expect."""

    media_type = CONTENT_TYPE
    format = "votable"
    charset = None

    def render(self, data: Any, *unused: Any) -> bytes:
        return error_document(str(data["error"]["message"]))


class OneFormat(BaseContentNegotiation):
    """Answers in the only format there is, whatever the client accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


def _parameter(name: str, meaning: str, *, is_required: bool = True) -> OpenApiParameter:
    return OpenApiParameter(name, float, description=meaning, required=is_required)


class ConeSearchView(APIView):
    """IVOA Simple Cone Search 1.03; a VOTable, also when something is wrong (INFO "Error")."""

    content_negotiation_class = OneFormat
    http_method_names = ["get", "head"]  # a VOTable describes no address
    renderer_classes = [VOTableRenderer]
    queryset = Release.objects.none()  # whose permissions count

    @extend_schema(
        operation_id="releases_scs",
        parameters=[
            _parameter("RA", "Right ascension of the center, ICRS, decimal degrees."),
            _parameter("DEC", "Declination of the center, ICRS, decimal degrees."),
            _parameter("SR", "Radius in decimal degrees; 0 gives the columns without rows."),
            _parameter("MAXREC", f"Most rows, up to {MAX_ROWS}.", is_required=False),
        ],
        responses={(200, CONTENT_TYPE): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        release = get_object_or_404(releases(), pk=pk)
        found = cone_search(release, request.query_params.dict())
        return HttpResponse(found, content_type=CONTENT_TYPE)


urlpatterns: list[URLPattern] = [
    path("releases/", ReleaseList.as_view(), name="api-releases"),
    path("releases/<int:pk>/", ReleaseDetail.as_view(), name="api-release"),
    path("releases/<int:pk>/entries/", ReleaseEntries.as_view(), name="api-release-entries"),
    path("releases/<int:pk>/scs", ConeSearchView.as_view(), name="api-release-scs"),
]
