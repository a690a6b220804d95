"""One thing on the sky and its cutout."""

from django.db import models

from protozoo.surveys.models import Survey


class Subject(models.Model):
    """A row of the survey's table; its pixels lie in shard `shard`, place `row`."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="subjects")
    identifier = models.CharField(max_length=200)
    ra_deg = models.FloatField()
    dec_deg = models.FloatField()
    healpix = models.BigIntegerField(help_text="Nested HEALPix index, see sky/positions.py.")
    shard = models.PositiveIntegerField()
    row = models.PositiveIntegerField()
    origin = models.CharField(max_length=300, blank=True, help_text="File of the pixels.")
    columns = models.JSONField(default=dict, help_text="All other columns of the table.")
    is_audit = models.BooleanField(default=False, db_index=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "identifier"], name="subject_is_unique"),
            models.UniqueConstraint(fields=["survey", "shard", "row"], name="subject_pixels_once"),
            models.CheckConstraint(
                condition=models.Q(ra_deg__gte=0, ra_deg__lt=360), name="subject_ra_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(dec_deg__gte=-90, dec_deg__lte=90), name="subject_dec_in_range"
            ),
        ]
        indexes = [models.Index(fields=["survey", "healpix"], name="subject_sky")]

    def __str__(self) -> str:
        return self.identifier
