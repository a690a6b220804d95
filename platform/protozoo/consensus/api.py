"""The API of merged votes; its addresses stand at the end."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from protozoo.consensus.models import ConsensusRun, ItemPosterior
from protozoo.consensus.reasons import reasons
from protozoo.consensus.selectors import opinion_of, prototype_posteriors, standing_of
from protozoo.sorting.models import Prototype
from protozoo.sorting.pictures import prototype_picture_url
from protozoo.sorting.selectors import prototypes_of, sortings
from protozoo.subjects.models import Subject
from protozoo.subjects.selectors import subjects


class PrototypeSerializer(serializers.ModelSerializer[Prototype]):
    unit = serializers.IntegerField(read_only=True)
    label = serializers.SerializerMethodField(  # type: ignore[assignment]  # the field is called so
        help_text="Key of the likeliest class in the newest run."
    )
    probability = serializers.SerializerMethodField(help_text="Of the label.")
    entropy_bits = serializers.SerializerMethodField()
    picture = serializers.SerializerMethodField()
    page = serializers.HyperlinkedIdentityField(view_name="prototype")

    class Meta:
        model = Prototype
        fields = [
            "id", "unit", "row", "column", "n_members", "mean_distance", "neighbour_distance",
            "label", "probability", "entropy_bits", "picture", "page",
        ]  # fmt: skip
        read_only_fields = fields

    def _posterior(self, prototype: Prototype) -> ItemPosterior | None:
        found: ItemPosterior | None = self.context["posteriors"].get(prototype.pk)
        return found

    def get_label(self, prototype: Prototype) -> str | None:
        posterior = self._posterior(prototype)
        return posterior.label if posterior else None

    def get_probability(self, prototype: Prototype) -> float | None:
        posterior = self._posterior(prototype)
        return posterior.probabilities.get(posterior.label) if posterior else None

    def get_entropy_bits(self, prototype: Prototype) -> float | None:
        posterior = self._posterior(prototype)
        return posterior.entropy_bits if posterior else None

    @extend_schema_field(OpenApiTypes.URI)
    def get_picture(self, prototype: Prototype) -> str:
        shown = prototype_picture_url(prototype)
        address: str = self.context["request"].build_absolute_uri(shown)
        return address


class SubjectLabelSerializer(serializers.Serializer[Any]):
    """What the newest run says of a subject; a review overrules it."""

    run = serializers.IntegerField(allow_null=True)
    label = serializers.CharField(  # type: ignore[assignment]  # the field is called so
        allow_null=True, help_text="Key of the likeliest class."
    )
    probability = serializers.FloatField(allow_null=True)
    probabilities = serializers.DictField(
        child=serializers.FloatField(), help_text="By the class's key; they sum to 1."
    )
    entropy_bits = serializers.FloatField(allow_null=True)
    is_unknown = serializers.BooleanField(
        allow_null=True, help_text="No prototype resembles it and nobody has judged it."
    )
    sources = serializers.DictField(
        child=serializers.FloatField(),
        help_text="Share of the label that comes from each source; they sum to 1.",
    )
    n_votes = serializers.DictField(
        child=serializers.IntegerField(), help_text="Votes behind it by what was shown."
    )
    n_volunteers = serializers.IntegerField(
        allow_null=True, help_text="Different people behind these votes."
    )
    reliability = serializers.FloatField(
        allow_null=True, help_text="Their mean chance of naming the true class; null without votes."
    )
    reviewed_as = serializers.CharField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())


class PrototypeList(APIView):
    """All prototypes of a map in the order of their units, with the newest run's classes."""

    queryset = Prototype.objects.all()

    @extend_schema(responses=PrototypeSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        sorting = get_object_or_404(sortings(), pk=pk)
        opinion = opinion_of(sorting)
        run = opinion.run if opinion else None
        posteriors = prototype_posteriors(run) if run else {}
        context = {"request": request, "posteriors": posteriors}
        return Response(
            PrototypeSerializer(prototypes_of(sorting), many=True, context=context).data
        )


class SubjectLabel(generics.GenericAPIView[Subject]):
    """A subject's class probabilities, and why."""

    queryset = subjects()
    serializer_class = SubjectLabelSerializer

    def get(self, request: Request, pk: int) -> Response:
        standing = standing_of(self.get_object())
        posterior, run = standing.posterior, standing.posterior and standing.posterior.run
        known = {
            "run": run and run.pk,
            "label": posterior and posterior.label,
            "probability": posterior and posterior.probability,
            "probabilities": _by_class(run, posterior.probabilities) if run and posterior else {},
            "entropy_bits": posterior and posterior.entropy_bits,
            "is_unknown": posterior and posterior.is_unknown,
            "sources": posterior.sources if posterior else {},
            "n_votes": posterior.votes_by_source if posterior else {},
            "n_volunteers": posterior and posterior.n_volunteers,
            "reliability": posterior and posterior.reliability,
            "reviewed_as": standing.reviews[0].label if standing.reviews else None,
            "reasons": reasons(standing),
        }
        return Response(SubjectLabelSerializer(known).data)


def _by_class(run: ConsensusRun, probabilities: list[float]) -> dict[str, float]:
    return dict(zip(run.classes, probabilities, strict=True))


urlpatterns: list[URLPattern] = [
    path("sortings/<int:pk>/prototypes/", PrototypeList.as_view(), name="api-prototypes"),
    path("subjects/<int:pk>/label/", SubjectLabel.as_view(), name="api-subject-label"),
]
