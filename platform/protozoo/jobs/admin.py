"""Jobs in the admin: to be read; their own pages cancel and retry."""

from django.contrib import admin
from django.http import HttpRequest

from protozoo.jobs.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin[Job]):
    list_display = ["title", "state", "attempts", "created_by", "created_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["created_by"]
    search_fields = ["title"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: Job | None = None,
    ) -> bool:
        return False
