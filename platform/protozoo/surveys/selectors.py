"""Finds surveys."""

from django.db.models import Count, QuerySet

from protozoo.surveys.models import Survey


def surveys() -> QuerySet[Survey]:
    return Survey.objects.annotate(n_subjects=Count("subjects")).order_by("title", "pk")
