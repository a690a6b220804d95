"""Surveys and the records of their imports."""

from pathlib import Path

from django.conf import settings
from django.db import models


class Survey(models.Model):
    """Images of one origin, with licence and citation."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    licence = models.CharField(max_length=200, blank=True)
    citation = models.TextField(blank=True)
    credit = models.CharField(max_length=300, blank=True)
    image_size = models.PositiveIntegerField(default=64, help_text="Side of a cutout in pixels.")
    n_channels = models.PositiveSmallIntegerField(default=1)
    pixel_scale_arcsec = models.FloatField(null=True, blank=True)
    recipe = models.CharField(
        max_length=40, default="sqrt-1", help_text="How pixels are prepared before sorting."
    )
    audit_fraction = models.FloatField(default=0.02)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(audit_fraction__gte=0, audit_fraction__lte=1),
                name="survey_audit_fraction_is_a_fraction",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of every cutout."""
        return (self.n_channels, self.image_size, self.image_size)

    @property
    def shard_folder(self) -> Path:
        return Path(settings.STORAGE_FOLDER) / "surveys" / self.slug / "shards"


class ImportRun(models.Model):
    """One go at bringing files into a survey."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="import_runs")
    source = models.JSONField(help_text="What was asked for: paths and options.")
    n_rows = models.PositiveBigIntegerField(default=0)
    n_imported = models.PositiveBigIntegerField(default=0)
    n_unchanged = models.PositiveBigIntegerField(default=0)
    n_rejected = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"Import of {self.survey} at {self.started_at:%Y-%m-%d %H:%M}"


class ImportProblem(models.Model):
    """A row or file that could not be imported, and why."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="problems")
    row_number = models.PositiveBigIntegerField(null=True, help_text="Counted from 1.")
    identifier = models.CharField(max_length=200, blank=True)
    file = models.CharField(max_length=500, blank=True)
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["row_number", "id"]

    def __str__(self) -> str:
        where = f"row {self.row_number}" if self.row_number is not None else self.file
        return f"{where}: {self.reason}"
