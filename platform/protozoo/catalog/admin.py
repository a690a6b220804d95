"""Releases in the admin: to be read; nobody changes or deletes what is frozen."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from protozoo.catalog.models import Entry, Release


class FrozenAdmin(admin.ModelAdmin[Any]):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Release)
class ReleaseAdmin(FrozenAdmin):
    list_display = ["__str__", "n_rows", "created_by", "created_at", "frozen_at"]
    list_filter = ["campaign"]
    list_select_related = ["campaign", "created_by"]


@admin.register(Entry)
class EntryAdmin(FrozenAdmin):
    list_display = ["identifier", "release", "label", "probability", "source"]
    list_filter = ["release", "source"]
    list_select_related = ["release__campaign"]
    search_fields = ["identifier"]
