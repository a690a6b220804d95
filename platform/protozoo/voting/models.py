"""Questions put to volunteers, and their answers."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from protozoo.accounts.models import Volunteer
from protozoo.sorting.models import Prototype, Sorting
from protozoo.subjects.models import Subject

# Enough for a few paragraphs on something strange.
MAX_COMMENT: Final = 1000


class Campaign(models.Model):
    """A question tree put to volunteers over one sorting."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    sorting = models.ForeignKey(Sorting, on_delete=models.PROTECT, related_name="campaigns")
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    introduction = models.TextField(blank=True, help_text="What it is for, in plain words.")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    votes_to_retire = models.PositiveSmallIntegerField(default=5)
    votes_per_grid = models.PositiveSmallIntegerField(
        default=2, help_text="Votes that retire a grid of members."
    )
    votes_cap = models.PositiveSmallIntegerField(
        default=12, help_text="An item with so many votes is asked no more: people do not agree."
    )
    share_gold = models.FloatField(
        default=0.03, help_text="Share of the items handed out whose class is known."
    )
    share_audit = models.FloatField(
        default=0.05, help_text="Share of the items handed out from the audit sample."
    )
    share_chance = models.FloatField(
        default=0.05, help_text="Share of the items handed out that chance alone picks."
    )
    suggested_tags = models.JSONField(
        default=list, blank=True, help_text="Tags that volunteers are offered, as a list of words."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(votes_to_retire__gte=1), name="campaign_retires_after_a_vote"
            ),
            models.CheckConstraint(
                condition=models.Q(votes_per_grid__gte=1, votes_cap__gte=1),
                name="campaign_grids_and_cap_take_a_vote",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    share_gold__gte=0,
                    share_audit__gte=0,
                    share_chance__gte=0,
                    share_gold__lt=1 - models.F("share_audit") - models.F("share_chance"),
                ),
                name="campaign_shares_leave_a_rest",
                violation_error_message=(
                    "The shares of gold, audit and chance must not be negative, and their sum must"
                    " be less than 1."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def votes_enough(self, kind: str) -> int:
        """Give the votes that are enough for an item of this kind."""
        return self.votes_per_grid if kind == Item.Kind.GRID else self.votes_to_retire

    def votes_at_most(self, kind: str) -> int:
        """Give the votes with which an item of this kind retires at the latest."""
        return min(self.votes_enough(kind), self.votes_cap)


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
    """What a volunteer sees: a prototype, a grid of its members, or one subject."""

    class Kind(models.TextChoices):
        PROTOTYPE = "prototype", _("prototype")
        GRID = "grid", _("grid of members")
        OUTLIER = "outlier", _("outlier")
        SUBJECT = "subject", _("doubtful subject")
        AUDIT = "audit", _("audit subject")
        GOLD = "gold", _("subject of known class")

    class Retirement(models.TextChoices):
        COUNT = "count", _("enough votes")
        POSTERIOR = "posterior", _("sure enough")
        GAIN = "gain", _("no more to be learnt")
        CAP = "cap", _("no consensus")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=10, choices=Kind)
    prototype = models.ForeignKey(Prototype, null=True, on_delete=models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, null=True, on_delete=models.PROTECT, related_name="+")
    label = models.CharField(
        max_length=60,
        blank=True,
        help_text="Class that a grid's group is said to be, or that a gold subject is known to be.",
    )
    n_votes = models.PositiveIntegerField(default=0, help_text="Votes that count.")
    priority = models.FloatField(
        null=True, help_text="Expected gain per second; none: nobody asks for it in particular."
    )
    order = models.FloatField(help_text="Random place in the queue.")
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(max_length=10, choices=Retirement, blank=True)

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "prototype"],
                condition=models.Q(kind="prototype"),
                name="item_prototype_once",
            ),
            models.UniqueConstraint(
                fields=["campaign", "subject", "kind"],
                condition=models.Q(subject__isnull=False),
                name="item_subject_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=["prototype", "grid"], prototype__isnull=False, subject__isnull=True
                )
                | (
                    ~models.Q(kind__in=["prototype", "grid"])
                    & models.Q(prototype__isnull=True, subject__isnull=False)
                ),
                name="item_shows_one_thing",
            ),
            models.CheckConstraint(
                condition=(models.Q(kind__in=["grid", "gold"]) & ~models.Q(label=""))
                | (~models.Q(kind__in=["grid", "gold"]) & models.Q(label="")),
                name="item_label_of_grids_and_gold",
            ),
            models.CheckConstraint(
                condition=models.Q(priority__isnull=True) | models.Q(priority__gte=0),
                name="item_priority_not_negative",
            ),
        ]
        # Conditions hold no values, for SQLite takes an index only if it finds them word by word.
        indexes = [
            models.Index(
                fields=["campaign", "order"],
                condition=models.Q(retired_at__isnull=True),
                name="item_open",
            ),
            models.Index(
                fields=["campaign", "kind", "order"],
                condition=models.Q(retired_at__isnull=True),
                name="item_open_of_kind",
            ),
            models.Index(
                fields=["campaign", "-priority", "order"],
                condition=models.Q(retired_at__isnull=True, priority__isnull=False),
                name="item_open_best",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} item {self.pk}"


class GridMember(models.Model):
    """A subject in a grid; the members of a grid are fixed when it is made."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="members")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    place = models.PositiveSmallIntegerField(help_text="From 1, row by row.")

    class Meta:
        ordering = ["item", "place"]
        constraints = [
            models.UniqueConstraint(fields=["item", "subject"], name="grid_member_once"),
            models.UniqueConstraint(fields=["item", "place"], name="grid_place_once"),
            models.CheckConstraint(
                condition=models.Q(place__gte=1, place__lte=16), name="grid_place_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} in place {self.place} of {self.item}"


class Vote(models.Model):
    """One answer of one volunteer to one item; append-only."""

    class Verdict(models.TextChoices):
        """What is said of a grid; a question tree answers all other items."""

        SORTED = "sorted", _("those ticked do not belong")
        TOO_MIXED = "too_mixed", _("too mixed to say")

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="votes")
    volunteer = models.ForeignKey(Volunteer, on_delete=models.PROTECT, related_name="votes")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="votes")
    client_uuid = models.UUIDField(
        unique=True, help_text="Made in the browser; sent again, it is the same vote."
    )
    answer = models.CharField(
        max_length=60, help_text="Key of the leaf of the tree, or the verdict on a grid."
    )
    path = models.JSONField(help_text="Keys of all answers from the root to the leaf.")
    ticked = models.JSONField(
        null=True, help_text="Subjects of a grid that do not belong; none for all other items."
    )
    seconds = models.FloatField(help_text="From the item's appearance to the answer.")
    answered_at = models.DateTimeField(help_text="By the volunteer's clock.")
    received_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(
        null=True, help_text="Set when the volunteer's other vote on the item counts instead."
    )
    supersedes = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="superseded_by",
        help_text="The vote that counted until the volunteer changed their answer to this one.",
    )
    tags = models.JSONField(default=list, help_text="Words that the volunteer put to the picture.")
    is_strange = models.BooleanField(
        default=False, help_text="The volunteer wants somebody to have a look at it."
    )
    comment = models.TextField(blank=True, max_length=MAX_COMMENT)
    marks = models.JSONField(default=list, help_text="Points and boxes on the picture: `marks.py`.")

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
            models.CheckConstraint(
                condition=models.Q(ticked__isnull=True)
                | models.Q(answer__in=["sorted", "too_mixed"]),
                name="vote_ticks_have_a_verdict",
            ),
        ]
        indexes = [
            models.Index(fields=["volunteer", "item"], name="vote_of_volunteer"),
            models.Index(
                fields=["-id"],
                condition=models.Q(is_strange=True, superseded_at__isnull=True),
                name="vote_strange",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer} on {self.item} by {self.volunteer}"

    @property
    def grid_text(self) -> str:
        """Say what was answered to a grid; nothing for all other items."""
        if self.ticked is None:
            return ""
        if self.answer == self.Verdict.TOO_MIXED:
            return "Too mixed to say"
        return f"{len(self.ticked)} of {len(self.item.members.all())} ticked"


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


class Skip(models.Model):
    """An item that comes to a volunteer again only when nothing else is left."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="skips")
    volunteer = models.ForeignKey(Volunteer, on_delete=models.CASCADE, related_name="skips")
    is_judged = models.BooleanField(
        default=False,
        help_text=(
            "Not the volunteer's wish: in another item they have judged what this one shows. The"
            " queue notes it when it comes past."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["volunteer", "item"], name="skip_is_unique")]

    def __str__(self) -> str:
        return f"{self.item} skipped by {self.volunteer}"


class Favourite(models.Model):
    """An item that a volunteer wants to find again."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="favourites")
    volunteer = models.ForeignKey(Volunteer, on_delete=models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["volunteer", "item"], name="favourite_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.item}, a favourite of {self.volunteer}"


class ZooniverseVolunteer(models.Model):
    """Who somebody with imported classifications is at Zooniverse; they have no account here."""

    volunteer = models.OneToOneField(
        Volunteer, on_delete=models.CASCADE, related_name="zooniverse_volunteer"
    )
    key = models.CharField(
        max_length=300, unique=True, help_text="By user id, else by the name of a visitor."
    )
    name = models.CharField(max_length=255, blank=True)

    def __str__(self) -> str:
        return self.name or self.key


class ZooniverseClassification(models.Model):
    """A row of a classification export, each cell as it came, and the vote made from it."""

    class Outcome(models.TextChoices):
        """What became of it; in every case the row is kept."""

        VOTE = "vote", "became a vote"
        WORKFLOW = "workflow", "it belongs to another workflow"
        TASK = "task", "the task was not asked"
        EMPTY = "empty", "nothing was chosen"
        SEVERAL = "several", "several answers were chosen"
        DRAWING = "drawing", "it is a drawing"
        TEXT = "text", "it is free text"
        OTHER = "other", "it is no choice of one answer"
        ANSWER = "answer", "the campaign's question has no such answer"
        SUBJECT = "subject", "the campaign does not know what it shows"
        REPEATED = "repeated", "the same volunteer answered before"

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="zooniverse_classifications"
    )
    vote = models.OneToOneField(
        Vote, null=True, on_delete=models.PROTECT, related_name="zooniverse_classification"
    )
    outcome = models.CharField(max_length=10, choices=Outcome)
    imported_at = models.DateTimeField(auto_now_add=True)
    classification_id = models.BigIntegerField()
    user_name = models.TextField(blank=True)
    user_id = models.TextField(blank=True)
    user_ip = models.TextField(blank=True)
    workflow_id = models.TextField(blank=True)
    workflow_name = models.TextField(blank=True)
    workflow_version = models.TextField(blank=True)
    created_at = models.TextField(blank=True)
    gold_standard = models.TextField(blank=True)
    expert = models.TextField(blank=True)
    metadata = models.TextField()
    annotations = models.TextField()
    subject_data = models.TextField()
    subject_ids = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "classification_id"], name="zooniverse_classification_once"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="vote", vote__isnull=False)
                | (~models.Q(outcome="vote") & models.Q(vote__isnull=True)),
                name="zooniverse_outcome_fits_vote",
            ),
        ]

    def __str__(self) -> str:
        return f"Zooniverse classification {self.classification_id}"
