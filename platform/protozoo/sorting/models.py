"""A trained map, its prototypes, and every subject's place on it."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from protozoo.subjects.models import Subject
from protozoo.surveys.models import Survey


class Sorting(models.Model):
    """One trained map and the projection of every subject of a survey on it."""

    class State(models.TextChoices):
        NEW = "new", _("new")
        TRAINING = "training", _("training")
        PROJECTING = "projecting", _("projecting")
        READY = "ready", _("ready")

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="sortings")
    parent = models.ForeignKey(
        "Prototype",
        on_delete=models.CASCADE,
        null=True,
        related_name="children",
        help_text="Prototype whose members alone are sorted; none: the whole survey is.",
    )
    state = models.CharField(max_length=12, choices=State, default=State.NEW)
    rows = models.PositiveSmallIntegerField(default=10)
    columns = models.PositiveSmallIntegerField(default=10)
    topology = models.CharField(
        max_length=12,
        choices=[("rectangular", _("rectangular")), ("hexagonal", _("hexagonal"))],
        default="rectangular",
    )
    is_periodic = models.BooleanField(default=False)
    n_rotations = models.PositiveSmallIntegerField(default=360)
    n_epochs = models.PositiveSmallIntegerField(default=10)
    seed = models.PositiveBigIntegerField(default=1)
    recipe = models.CharField(max_length=40)
    n_subjects = models.PositiveBigIntegerField(default=0)
    history = models.JSONField(default=list, help_text="Quality after each epoch.")
    quantization_error = models.FloatField(null=True)
    topographic_error = models.FloatField(null=True)
    map_checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the map file.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.survey}, {self.rows} x {self.columns} map {self.pk}"

    @property
    def folder(self) -> Path:
        return Path(settings.STORAGE_FOLDER) / "sortings" / str(self.pk)

    @property
    def map_path(self) -> Path:
        return self.folder / "map.safetensors"

    @property
    def pictures_path(self) -> Path:
        """Mean image of each prototype's aligned members: float32 (K, C, H, W)."""
        return self.folder / "prototypes.npy"

    @property
    def features_path(self) -> Path:
        """Invariant features of the subjects in the order of their pixels: float32 (N, d)."""
        return self.folder / "features.npy"

    @property
    def feature_map_path(self) -> Path:
        """The way from distances and ring powers to these features."""
        return self.folder / "feature_map.npz"


class Prototype(models.Model):
    """One unit of the map; its picture is the mean of its aligned members."""

    sorting = models.ForeignKey(Sorting, on_delete=models.CASCADE, related_name="prototypes")
    row = models.PositiveSmallIntegerField()
    column = models.PositiveSmallIntegerField()
    n_members = models.PositiveBigIntegerField(default=0)
    mean_distance = models.FloatField(null=True, help_text="Of its members; none when empty.")
    neighbour_distance = models.FloatField(
        help_text="U-matrix: mean rotation-invariant distance to adjacent prototypes."
    )

    class Meta:
        ordering = ["sorting", "row", "column"]
        constraints = [
            models.UniqueConstraint(fields=["sorting", "row", "column"], name="prototype_is_unique")
        ]

    def __str__(self) -> str:
        return gettext("prototype %(row)s, %(column)s") % {
            "row": self.row,
            "column": self.column,
        }

    @property
    def unit(self) -> int:
        """Index of the unit in the map file's arrays."""
        return self.row * self.sorting.columns + self.column


class Assignment(models.Model):
    """Where a subject lies on a map, and how it is turned into its prototype's frame."""

    sorting = models.ForeignKey(Sorting, on_delete=models.CASCADE, related_name="assignments")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="assignments")
    prototype = models.ForeignKey(Prototype, on_delete=models.CASCADE, related_name="members")
    second_prototype = models.ForeignKey(Prototype, on_delete=models.CASCADE, related_name="+")
    distance = models.FloatField()
    second_distance = models.FloatField()
    angle_rad = models.FloatField()
    is_flipped = models.BooleanField()
    outlier_score = models.FloatField()
    outlier_rank = models.PositiveBigIntegerField(help_text="1 is the strangest.")
    outlier_leader = models.ForeignKey(
        Subject,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="The strangest of the near copies that this one belongs to; none: itself.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sorting", "subject"], name="assignment_is_unique")
        ]
        indexes = [
            models.Index(fields=["prototype", "distance"], name="assignment_members"),
            models.Index(fields=["sorting", "outlier_rank"], name="assignment_outliers"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} -> {self.prototype}"
