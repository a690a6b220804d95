"""Runs of the vote model and what they say; the scientists' reviews."""

import math

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from protozoo.accounts.models import Volunteer
from protozoo.sorting.models import Prototype
from protozoo.subjects.models import Subject
from protozoo.voting.models import Campaign, Item, Question


class FinishedRuns(models.Manager["ConsensusRun"]):
    """Runs whose rows are all written; what a killed merge has left is nobody's business."""

    def get_queryset(self) -> models.QuerySet["ConsensusRun"]:
        return super().get_queryset().filter(finished_at__isnull=False)


class ConsensusRun(models.Model):
    """One fit of the model to all votes of a campaign that counted at that time."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="consensus_runs")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=60, help_text="Name and version of the model.")
    settings = models.JSONField(default=dict)
    classes = models.JSONField(help_text="Keys of the classes, in the order of all probabilities.")
    n_votes = models.PositiveBigIntegerField()
    n_volunteers = models.PositiveBigIntegerField()
    last_vote_id = models.PositiveBigIntegerField(help_text="Votes up to this one were used.")
    seconds_of_volunteers = models.FloatField()
    log_likelihood = models.FloatField(null=True)
    n_iterations = models.PositiveIntegerField()
    has_converged = models.BooleanField()
    audit = models.JSONField(default=dict, help_text="Agreement with the audit sample's own votes.")
    calibration = models.JSONField(
        default=dict, help_text="How probabilities were calibrated, and how honest they are."
    )
    ledger = models.JSONField(
        default=dict, help_text="Votes and seconds by kind of question, and what they brought."
    )
    online = models.JSONField(
        default=dict, help_text="What single votes need to change beliefs until the next run."
    )
    inputs_checksum = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of all that was merged beside the votes."
    )
    code_version = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, help_text="None while its rows are written.")

    objects = FinishedRuns()
    all_runs = models.Manager["ConsensusRun"]()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"Consensus {self.pk} of {self.campaign}"


class AskingPlan(models.Model):
    """When a campaign's votes are merged again, and what is worth asking then."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="asking_plan")
    sure = models.FloatField(
        default=0.95, help_text="What has this probability is settled and asked no more."
    )
    n_questions = models.PositiveIntegerField(
        default=300, help_text="Grids and subjects that wait for answers at most."
    )
    least_gain = models.FloatField(
        default=1e-3, help_text="Bits per second below which nothing more is to be learnt."
    )
    refit_votes = models.PositiveIntegerField(
        default=100, help_text="New votes after which all are merged again."
    )
    refit_share = models.FloatField(
        default=0.05, help_text="The same as a share of the votes merged; the larger number counts."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sure__gt=0.5, sure__lt=1), name="asking_plan_sure_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(least_gain__gte=0, refit_votes__gte=1, refit_share__gte=0),
                name="asking_plan_limits_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"Asking plan of {self.campaign}"

    def votes_until_refit(self, n_merged: int) -> int:
        """Give the new votes after which a merge of so many is out of date."""
        return max(self.refit_votes, math.ceil(self.refit_share * n_merged))


class SplitProposal(models.Model):
    """A prototype whose members are of several classes, so that a map of its own may part them."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        DISMISSED = "dismissed", _("dismissed")
        SPLIT = "split", _("split")

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="splits")
    prototype = models.ForeignKey(Prototype, on_delete=models.CASCADE, related_name="splits")
    purity = models.FloatField(help_text="Expected share of the commonest class of its members.")
    probability_mixed = models.FloatField(help_text="That people call it mixed.")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["purity", "id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "prototype"], name="split_proposal_once")
        ]

    def __str__(self) -> str:
        return f"Split of {self.prototype}: {self.state}"


class ItemPosterior(models.Model):
    """What a run believes of one item: probabilities of its classes, 'mixed' among them."""

    run = models.ForeignKey(ConsensusRun, on_delete=models.CASCADE, related_name="items")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="posteriors")
    label = models.CharField(max_length=60)
    probabilities = models.JSONField(help_text="Class key -> probability.")
    entropy_bits = models.FloatField()
    n_votes = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="item_posterior_once")]

    def __str__(self) -> str:
        return f"{self.item}: {self.label}"


class VolunteerPosterior(models.Model):
    """How a run believes a volunteer answers, for each kind of question."""

    run = models.ForeignKey(ConsensusRun, on_delete=models.CASCADE, related_name="volunteers")
    volunteer = models.ForeignKey(Volunteer, on_delete=models.CASCADE, related_name="+")
    n_votes = models.PositiveIntegerField()
    agreement = models.FloatField(help_text="Mean probability of the true class being named.")
    confusion = models.JSONField(help_text="Item kind -> matrix (classes, answers).")
    n_judgments = models.PositiveIntegerField(default=0, help_text="Members of grids judged.")
    ticks_strangers = models.FloatField(
        null=True, help_text="Chance of ticking a member of a grid that does not belong."
    )
    ticks_members = models.FloatField(
        null=True, help_text="Chance of ticking a member of a grid that belongs."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "volunteer"], name="volunteer_posterior_once")
        ]

    def __str__(self) -> str:
        return f"{self.volunteer} in {self.run}"


class SubjectPosterior(models.Model):
    """What a run believes of one subject, and from where."""

    run = models.ForeignKey(ConsensusRun, on_delete=models.CASCADE, related_name="subjects")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="posteriors")
    label = models.CharField(max_length=60)
    probability = models.FloatField(help_text="Of the label.")
    probabilities = models.JSONField(help_text="In the order of the run's classes; sums to 1.")
    is_unknown = models.BooleanField(
        default=False, help_text="No prototype resembles it and nobody has judged it."
    )
    entropy_bits = models.FloatField()
    weight_prototype = models.FloatField(help_text="Share that comes from the prototype's votes.")
    weight_head = models.FloatField(
        default=0.0, help_text="Share that comes from look-alikes anywhere on the map."
    )
    weight_grid = models.FloatField(
        default=0.0, help_text="Share that comes from ticks and passes in grids of members."
    )
    weight_direct = models.FloatField(help_text="Share that comes from votes on the subject.")
    weight_prior = models.FloatField(help_text="Share that comes from the classes' frequencies.")
    n_votes_prototype = models.PositiveIntegerField()
    n_votes_grid = models.PositiveIntegerField(default=0)
    n_votes_direct = models.PositiveIntegerField()
    n_volunteers = models.PositiveIntegerField(
        default=0, help_text="Different people behind all of these votes."
    )
    reliability = models.FloatField(
        null=True, help_text="Mean chance of these votes' volunteers to name the true class."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "subject"], name="subject_posterior_once")
        ]
        indexes = [models.Index(fields=["run", "entropy_bits"], name="subject_posterior_entropy")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.label} ({self.probability:.2f})"

    @property
    def sources(self) -> dict[str, float]:
        """Shares of the label by source; they sum to 1."""
        return {
            "prior": self.weight_prior,
            "prototype": self.weight_prototype,
            "head": self.weight_head,
            "grid": self.weight_grid,
            "direct": self.weight_direct,
        }

    @property
    def votes_by_source(self) -> dict[str, int]:
        """Votes behind the label by what was shown."""
        return {
            "prototype": self.n_votes_prototype,
            "grid": self.n_votes_grid,
            "direct": self.n_votes_direct,
        }


class ItemBelief(models.Model):
    """What is believed of a prototype or a subject by now: a run's belief and all votes since."""

    run = models.ForeignKey(ConsensusRun, on_delete=models.CASCADE, related_name="item_beliefs")
    prototype = models.ForeignKey(Prototype, null=True, on_delete=models.CASCADE, related_name="+")
    subject = models.ForeignKey(Subject, null=True, on_delete=models.CASCADE, related_name="+")
    state = models.JSONField(help_text="See skysort.consensus.online.ItemState.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "prototype"], name="belief_of_prototype_once"),
            models.UniqueConstraint(fields=["run", "subject"], name="belief_of_subject_once"),
            models.CheckConstraint(
                condition=models.Q(prototype__isnull=True) ^ models.Q(subject__isnull=True),
                name="belief_is_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"Belief of {self.prototype or self.subject} after {self.run}"


class VolunteerBelief(models.Model):
    """How a volunteer is believed to answer by now."""

    run = models.ForeignKey(
        ConsensusRun, on_delete=models.CASCADE, related_name="volunteer_beliefs"
    )
    volunteer = models.ForeignKey(Volunteer, on_delete=models.CASCADE, related_name="+")
    state = models.JSONField(help_text="See skysort.consensus.online.VolunteerState.")
    steps = models.JSONField(
        default=list,
        help_text="What the newest votes have added, by their keys: skysort.consensus.online.Step.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "volunteer"], name="belief_of_volunteer_once")
        ]

    def __str__(self) -> str:
        return f"Belief of {self.volunteer} after {self.run}"


class Review(models.Model):
    """A scientist's decision on a subject; the newest counts, none is deleted."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="reviews")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    label = models.CharField(max_length=60)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.subject}: {self.label} by {self.reviewer}"
