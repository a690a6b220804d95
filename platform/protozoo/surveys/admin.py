"""Surveys and their imports in the admin."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from protozoo.accounts.admin import OperatorAdmin, OperatorsLook
from protozoo.surveys.models import ImportProblem, ImportRun, Survey


@admin.register(Survey)
class SurveyAdmin(OperatorAdmin):
    """What is known of a survey can be corrected; what its pixels depend on cannot."""

    list_display = ["title", "slug", "image_size", "n_channels", "recipe", "created_at"]
    readonly_fields = ["slug", "image_size", "n_channels", "audit_fraction", "created_at"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("accounts.operate")


class ProblemInline(OperatorsLook, admin.TabularInline[ImportProblem, ImportRun]):
    model = ImportProblem
    extra = 0
    fields = ["row_number", "identifier", "file", "reason"]


@admin.register(ImportRun)
class ImportRunAdmin(OperatorAdmin):
    list_display = [
        "survey", "started_at", "n_rows", "n_imported", "n_unchanged", "n_rejected", "finished_at",
    ]  # fmt: skip
    list_filter = ["survey"]
    list_select_related = ["survey"]
    inlines = [ProblemInline]
