"""Surveys and their imports in the admin."""

from django.contrib import admin
from django.http import HttpRequest

from protozoo.surveys.models import ImportProblem, ImportRun, Survey


@admin.register(Survey)
class SurveyAdmin(admin.ModelAdmin[Survey]):
    """What is known of a survey can be corrected; what its pixels depend on cannot."""

    list_display = ["title", "slug", "image_size", "n_channels", "recipe", "created_at"]
    readonly_fields = ["slug", "image_size", "n_channels", "audit_fraction", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class ProblemInline(admin.TabularInline[ImportProblem, ImportRun]):
    model = ImportProblem
    extra = 0
    max_num = 0
    can_delete = False
    readonly_fields = ["row_number", "identifier", "file", "reason"]


@admin.register(ImportRun)
class ImportRunAdmin(admin.ModelAdmin[ImportRun]):
    list_display = [
        "survey", "started_at", "n_rows", "n_imported", "n_unchanged", "n_rejected", "finished_at",
    ]  # fmt: skip
    list_filter = ["survey"]
    list_select_related = ["survey"]
    inlines = [ProblemInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: ImportRun | None = None,
    ) -> bool:
        return False
