"""Maps in the admin: to be read; sorting writes them."""

from django.contrib import admin
from django.http import HttpRequest

from protozoo.sorting.models import Sorting


@admin.register(Sorting)
class SortingAdmin(admin.ModelAdmin[Sorting]):
    list_display = [
        "__str__", "state", "topology", "n_subjects", "quantization_error", "topographic_error",
        "finished_at",
    ]  # fmt: skip
    list_filter = ["state", "survey"]
    list_select_related = ["survey"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self,
        request: HttpRequest,
        obj: Sorting | None = None,
    ) -> bool:
        return False
