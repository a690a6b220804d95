"""Users and volunteers in the admin, and what operators may see there.

Roles are groups. Users stay with superusers: whoever edits them could give themselves any right.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.services import volunteer_credit

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

    list_display = ["id", "user", "credited_as", "is_simulated", "created_at"]
    list_filter = ["is_simulated"]
    list_select_related = ["user"]
    search_fields = ["user__username", "full_name", "nickname"]
    fields = ["user", "is_simulated", "created_at"]
    date_hierarchy = "created_at"
    actions = ["names_withdraw"]

    @admin.action(description=_("Name no longer in public"))
    def names_withdraw(self, request: HttpRequest, volunteers: QuerySet[Volunteer]) -> None:
        """Take names out of the thanks that nobody should read there."""
        for volunteer in volunteers:
            volunteer_credit(volunteer=volunteer, credit=Volunteer.Credit.NONE)
