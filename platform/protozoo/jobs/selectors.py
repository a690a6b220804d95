"""Finds background work."""

from django.db.models import QuerySet

from protozoo.jobs.models import Job


def jobs() -> QuerySet[Job]:
    return Job.objects.select_related("created_by")
