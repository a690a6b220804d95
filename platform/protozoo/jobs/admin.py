"""Jobs in the admin: to be read; their own pages cancel and retry."""

from django.contrib import admin

from protozoo.accounts.admin import OperatorAdmin
from protozoo.jobs.models import Job


@admin.register(Job)
class JobAdmin(OperatorAdmin):
    list_display = ["title", "state", "attempts", "created_by", "created_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["created_by"]
    search_fields = ["title"]
