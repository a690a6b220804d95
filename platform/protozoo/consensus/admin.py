"""Runs and reviews in the admin: to be read; merging and reviewing write them."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from protozoo.accounts.admin import OperatorAdmin
from protozoo.consensus.models import AskingPlan, ConsensusRun, Review, SplitProposal


@admin.register(ConsensusRun)
class ConsensusRunAdmin(OperatorAdmin):
    list_display = [
        "__str__", "model", "n_votes", "n_volunteers", "has_converged", "n_iterations",
        "created_at",
    ]  # fmt: skip
    list_filter = ["campaign"]
    list_select_related = ["campaign"]


@admin.register(Review)
class ReviewAdmin(OperatorAdmin):
    list_display = ["subject", "label", "reviewer", "campaign", "created_at"]
    list_filter = ["campaign", "label"]
    list_select_related = ["subject", "reviewer", "campaign"]
    search_fields = ["subject__identifier"]


@admin.register(AskingPlan)
class AskingPlanAdmin(OperatorAdmin):
    """What operators may set; a campaign without a plan has the usual one."""

    list_display = ["campaign", "sure", "n_questions", "least_gain", "refit_votes", "refit_share"]
    list_select_related = ["campaign"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request, obj)


@admin.register(SplitProposal)
class SplitProposalAdmin(OperatorAdmin):
    list_display = ["prototype", "campaign", "purity", "probability_mixed", "state", "changed_at"]
    list_filter = ["campaign", "state"]
    list_select_related = ["campaign", "prototype"]
