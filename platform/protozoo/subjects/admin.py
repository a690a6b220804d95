"""Subjects in the admin: to be found and read; imports write them."""

from django.contrib import admin
from django.http import HttpRequest

from protozoo.subjects.models import Subject


@admin.register(Subject)
class SubjectAdmin(admin.ModelAdmin[Subject]):
    list_display = ["identifier", "survey", "ra_deg", "dec_deg", "is_audit"]
    list_filter = ["survey", "is_audit"]
    list_select_related = ["survey"]
    search_fields = ["identifier"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: Subject | None = None,
    ) -> bool:
        return False
