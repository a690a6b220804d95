"""Runs and reviews in the admin: to be read; merging and reviewing write them."""

from django.contrib import admin
from django.http import HttpRequest

from protozoo.consensus.models import ConsensusRun, Review


class ReadOnlyAdmin(admin.ModelAdmin[ConsensusRun | Review]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: ConsensusRun | Review | None = None,
    ) -> bool:
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,
        obj: ConsensusRun | Review | None = None,
    ) -> bool:
        return False


@admin.register(ConsensusRun)
class ConsensusRunAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__", "model", "n_votes", "n_volunteers", "has_converged", "n_iterations",
        "created_at",
    ]  # fmt: skip
    list_filter = ["campaign"]
    list_select_related = ["campaign"]


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ["subject", "label", "reviewer", "campaign", "created_at"]
    list_filter = ["campaign", "label"]
    list_select_related = ["subject", "reviewer", "campaign"]
    search_fields = ["subject__identifier"]
