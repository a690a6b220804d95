"""Users and volunteers in the admin, and what operators may see there.

Roles are groups. Users stay with superusers: whoever edits them could give themselves any right.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model
from django.http import HttpRequest

from protozoo.accounts.models import User, Volunteer

admin.site.register(User, UserAdmin)


class OperatorsLook:
    """Rows for operators to look at; services write them, and nobody deletes them here."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.operate")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("accounts.operate")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OperatorAdmin(OperatorsLook, admin.ModelAdmin[Any]):
    """A model that operators may look at; counting all rows would be slow for a large survey."""

    show_full_result_count = False


@admin.register(Volunteer)
class VolunteerAdmin(OperatorAdmin):
    """Volunteers make themselves; the token opens their votes, so nobody is shown it."""

    list_display = ["id", "user", "is_simulated", "created_at"]
    list_filter = ["is_simulated"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    fields = ["user", "is_simulated", "created_at"]
    date_hierarchy = "created_at"
