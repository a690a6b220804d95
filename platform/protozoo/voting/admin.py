"""Campaigns in the admin: operators change their words, state and lanes; the rest is only shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from protozoo.accounts.admin import OperatorAdmin
from protozoo.voting.exceptions import RemarksError
from protozoo.voting.models import (
    Campaign,
    Favourite,
    GridMember,
    Item,
    Question,
    Skip,
    Vote,
    ZooniverseClassification,
    ZooniverseVolunteer,
)
from protozoo.voting.remarks import tags_check
from protozoo.voting.services import campaign_close, campaign_reopen


class CampaignForm(forms.ModelForm[Campaign]):
    """Takes suggested tags as they are offered."""

    def clean_suggested_tags(self) -> list[str]:
        tags: Any = self.cleaned_data["suggested_tags"] or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise forms.ValidationError('Give a list of words, such as ["ring", "x-shaped"].')
        try:
            return tags_check(tags)
        except RemarksError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Campaign)
class CampaignAdmin(OperatorAdmin):
    form = CampaignForm
    list_display = ["title", "slug", "state", "sorting", "votes_to_retire", "created_at"]
    list_filter = ["state"]
    list_select_related = ["sorting__survey"]
    search_fields = ["title", "slug"]
    fields = [
        "title", "slug", "introduction", "state", "sorting", "votes_to_retire", "votes_per_grid",
        "votes_cap", "share_gold", "share_audit", "share_chance", "suggested_tags", "created_at",
    ]  # fmt: skip
    readonly_fields = [
        "slug", "state", "sorting", "votes_to_retire", "votes_per_grid", "votes_cap", "created_at",
    ]  # fmt: skip
    actions = ["close", "reopen"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("accounts.operate")

    @admin.action(permissions=["change"], description="Close: take no more votes")
    def close(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        for campaign in campaigns:
            campaign_close(campaign=campaign)

    @admin.action(permissions=["change"], description="Open: take votes")
    def reopen(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        for campaign in campaigns:
            campaign_reopen(campaign=campaign)


@admin.register(Question)
class QuestionAdmin(OperatorAdmin):
    list_display = ["campaign", "version", "created_at"]
    list_filter = ["campaign"]
    list_select_related = ["campaign"]


@admin.register(Item)
class ItemAdmin(OperatorAdmin):
    list_display = [
        "id", "campaign", "kind", "prototype", "subject", "label", "priority", "n_votes",
        "retired_at", "retired_because",
    ]  # fmt: skip
    list_filter = ["campaign", "kind", "retired_because"]
    list_select_related = ["campaign", "prototype", "subject"]
    search_fields = ["subject__identifier"]


@admin.register(GridMember)
class GridMemberAdmin(OperatorAdmin):
    list_display = ["item", "place", "subject"]
    list_filter = ["item__campaign"]
    list_select_related = ["item", "subject"]
    search_fields = ["subject__identifier"]


@admin.register(Vote)
class VoteAdmin(OperatorAdmin):
    list_display = [
        "id", "item", "answer", "volunteer", "seconds", "received_at", "superseded_at", "tags",
        "is_strange", "comment",
    ]  # fmt: skip
    list_filter = ["item__campaign", "answer", "is_strange", "volunteer__is_simulated"]
    search_fields = ["comment"]
    list_select_related = ["item", "volunteer__user"]
    date_hierarchy = "received_at"


@admin.register(Skip)
class SkipAdmin(OperatorAdmin):
    list_display = ["id", "item", "volunteer", "is_judged", "created_at"]
    list_filter = ["item__campaign", "is_judged"]
    list_select_related = ["item", "volunteer__user"]


@admin.register(Favourite)
class FavouriteAdmin(OperatorAdmin):
    list_display = ["id", "item", "volunteer", "created_at"]
    list_filter = ["item__campaign"]
    list_select_related = ["item", "volunteer__user"]


@admin.register(ZooniverseClassification)
class ZooniverseClassificationAdmin(OperatorAdmin):
    list_display = ["classification_id", "outcome", "user_name", "workflow_name", "subject_ids"]
    list_filter = ["campaign", "outcome"]
    search_fields = ["=classification_id", "=subject_ids", "user_name"]


@admin.register(ZooniverseVolunteer)
class ZooniverseVolunteerAdmin(OperatorAdmin):
    list_display = ["name", "key", "volunteer"]
    list_select_related = ["volunteer__user"]
    search_fields = ["name", "=key"]
