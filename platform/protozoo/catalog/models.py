"""Frozen, versioned, citable catalogs."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from protozoo.consensus.models import ConsensusRun
from protozoo.subjects.models import Subject
from protozoo.voting.models import Campaign


class Release(models.Model):
    """A frozen catalog: its rows, its files and where all of it comes from."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="releases")
    run = models.ForeignKey(ConsensusRun, on_delete=models.PROTECT, related_name="releases")
    version = models.PositiveIntegerField()
    last_review_id = models.PositiveBigIntegerField(
        default=0, help_text="Reviews up to this one were used."
    )
    notes = models.TextField(blank=True)
    n_rows = models.PositiveBigIntegerField(default=0)
    provenance = models.JSONField(default=dict)
    figures = models.JSONField(
        default=dict, help_text="Votes per row, agreement with the audit and so on."
    )
    files = models.JSONField(default=list, help_text="name, bytes and sha256 of each file.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True, help_text="From then on nothing changes.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "version"], name="release_version_once")
        ]

    def __str__(self) -> str:
        return gettext("%(campaign)s, release %(version)s") % {
            "campaign": self.campaign,
            "version": self.version,
        }

    @property
    def folder(self) -> Path:
        return Path(settings.STORAGE_FOLDER) / "releases" / self.campaign.slug / f"v{self.version}"


class Entry(models.Model):
    """One row of a release."""

    class Source(models.TextChoices):
        PROTOTYPE = "prototype", _("its prototype's votes")
        HEAD = "head", _("votes on look-alikes")
        GRID = "grid", _("grids that showed it")
        DIRECT = "direct", _("votes on the subject")
        PRIOR = "prior", _("frequencies of the classes")
        REVIEW = "review", _("a scientist's review")

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="entries")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="entries")
    identifier = models.CharField(max_length=200)
    ra_deg = models.FloatField()
    dec_deg = models.FloatField()
    healpix = models.BigIntegerField()
    label = models.CharField(
        max_length=60, help_text="Key of a class, or 'unknown' where is_unknown says so."
    )
    is_unknown = models.BooleanField(
        default=False,
        help_text="No prototype resembles it and nobody has judged it: what it is, is a guess.",
    )
    probability = models.FloatField(
        help_text="That the model gives to the label; 0 if the label is no class of it."
    )
    probabilities = models.JSONField(help_text="In the order of the run's classes; sums to 1.")
    entropy_bits = models.FloatField()
    source = models.CharField(max_length=10, choices=Source)
    weight_prototype = models.FloatField()
    weight_head = models.FloatField(default=0.0)
    weight_grid = models.FloatField(default=0.0)
    weight_direct = models.FloatField()
    weight_prior = models.FloatField()
    n_votes_prototype = models.PositiveIntegerField()
    n_votes_grid = models.PositiveIntegerField(default=0)
    n_votes_direct = models.PositiveIntegerField()
    n_volunteers = models.PositiveIntegerField(
        default=0, help_text="Different people behind all of these votes; 0 if not counted yet."
    )
    reliability = models.FloatField(
        null=True, help_text="Mean chance of these votes' volunteers to name the true class."
    )
    prototype_row = models.PositiveSmallIntegerField()
    prototype_column = models.PositiveSmallIntegerField()
    distance = models.FloatField()
    angle_rad = models.FloatField()
    is_flipped = models.BooleanField()
    outlier_rank = models.PositiveBigIntegerField()
    outlier_score = models.FloatField()
    is_audit = models.BooleanField()

    class Meta:
        ordering = ["release", "id"]
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["release", "subject"], name="entry_is_unique")
        ]
        indexes = [models.Index(fields=["release", "healpix"], name="entry_sky")]

    def __str__(self) -> str:
        return f"{self.identifier}: {self.label}"

    @property
    def n_votes(self) -> int:
        return self.n_votes_prototype + self.n_votes_grid + self.n_votes_direct
