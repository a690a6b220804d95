"""Subjects in the admin: to be found and read; imports write them."""

from django.contrib import admin

from protozoo.accounts.admin import OperatorAdmin
from protozoo.subjects.models import Subject


@admin.register(Subject)
class SubjectAdmin(OperatorAdmin):
    list_display = ["identifier", "survey", "ra_deg", "dec_deg", "is_audit"]
    list_filter = ["survey", "is_audit"]
    list_select_related = ["survey"]
    search_fields = ["identifier"]
