"""Runs and reviews in the admin: to be read; merging and reviewing write them."""

from django.contrib import admin

from protozoo.accounts.admin import OperatorAdmin
from protozoo.consensus.models import ConsensusRun, Review


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
