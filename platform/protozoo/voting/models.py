"""Questions put to volunteers, and their answers."""

from django.db import models

from protozoo.accounts.models import Volunteer
from protozoo.sorting.models import Prototype, Sorting
from protozoo.subjects.models import Subject


class Campaign(models.Model):
    """A question tree put to volunteers over one sorting."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        OPEN = "open", "open"
        CLOSED = "closed", "closed"

    sorting = models.ForeignKey(Sorting, on_delete=models.PROTECT, related_name="campaigns")
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    introduction = models.TextField(blank=True, help_text="What it is for, in plain words.")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    votes_to_retire = models.PositiveSmallIntegerField(default=5)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(votes_to_retire__gte=1), name="campaign_retires_after_a_vote"
            )
        ]

    def __str__(self) -> str:
        return self.title


class Question(models.Model):
    """One version of a campaign's question tree (see `trees.py`); never changed once voted on."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="questions")
    version = models.PositiveIntegerField()
    tree = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["campaign", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "version"], name="question_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.campaign}, question version {self.version}"


class Item(models.Model):
    """What a volunteer sees: a prototype with its members, or one subject."""

    class Kind(models.TextChoices):
        PROTOTYPE = "prototype", "prototype"
        OUTLIER = "outlier", "outlier"
        AUDIT = "audit", "audit subject"

    class Retirement(models.TextChoices):
        COUNT = "count", "enough votes"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=10, choices=Kind)
    prototype = models.ForeignKey(Prototype, null=True, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, null=True, on_delete=models.PROTECT, related_name="+")
    n_votes = models.PositiveIntegerField(default=0, help_text="Votes that count.")
    order = models.FloatField(help_text="Random place in the queue.")
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(max_length=10, choices=Retirement, blank=True)

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "prototype"],
                condition=models.Q(prototype__isnull=False),
                name="item_prototype_once",
            ),
            models.UniqueConstraint(
                fields=["campaign", "subject", "kind"],
                condition=models.Q(subject__isnull=False),
                name="item_subject_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="prototype", prototype__isnull=False, subject__isnull=True)
                | (
                    ~models.Q(kind="prototype")
                    & models.Q(prototype__isnull=True, subject__isnull=False)
                ),
                name="item_shows_one_thing",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "retired_at", "order"], name="item_queue")]

    def __str__(self) -> str:
        return f"{self.kind} item {self.pk}"


class Vote(models.Model):
    """One answer of one volunteer to one item; append-only."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="votes")
    volunteer = models.ForeignKey(Volunteer, on_delete=models.PROTECT, related_name="votes")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="votes")
    client_uuid = models.UUIDField(
        unique=True, help_text="Made in the browser; sent again, it is the same vote."
    )
    answer = models.CharField(max_length=60, help_text="Key of the leaf of the tree.")
    path = models.JSONField(help_text="Keys of all answers from the root to the leaf.")
    seconds = models.FloatField(help_text="From the item's appearance to the answer.")
    answered_at = models.DateTimeField(help_text="By the volunteer's clock.")
    received_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(
        null=True, help_text="Set when the volunteer's other vote on the item counts instead."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "volunteer"],
                condition=models.Q(superseded_at__isnull=True),
                name="vote_counts_once",
            ),
            models.CheckConstraint(
                condition=models.Q(seconds__gte=0), name="vote_seconds_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer} on {self.item} by {self.volunteer}"


class Lease(models.Model):
    """An item that a volunteer has in front of them; keeps others away until it expires."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="leases")
    volunteer = models.ForeignKey(Volunteer, on_delete=models.CASCADE, related_name="leases")
    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, related_name="+", help_text="The version they see."
    )
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "volunteer"], name="lease_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.item} with {self.volunteer} until {self.expires_at}"
