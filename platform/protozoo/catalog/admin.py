"""Releases in the admin: to be read; nobody changes or deletes what is frozen."""

from django.contrib import admin

from protozoo.accounts.admin import OperatorAdmin
from protozoo.catalog.models import Entry, Release


@admin.register(Release)
class ReleaseAdmin(OperatorAdmin):
    list_display = ["__str__", "n_rows", "created_by", "created_at", "frozen_at"]
    list_filter = ["campaign"]
    list_select_related = ["campaign", "created_by"]


@admin.register(Entry)
class EntryAdmin(OperatorAdmin):
    list_display = ["identifier", "release", "label", "probability", "source"]
    list_filter = ["release", "source"]
    list_select_related = ["release__campaign"]
    search_fields = ["identifier"]
