"""Maps in the admin: to be read; sorting writes them."""

from django.contrib import admin

from protozoo.accounts.admin import OperatorAdmin
from protozoo.sorting.models import Sorting


@admin.register(Sorting)
class SortingAdmin(OperatorAdmin):
    list_display = [
        "__str__", "state", "topology", "n_subjects", "quantization_error", "topographic_error",
        "finished_at",
    ]  # fmt: skip
    list_filter = ["state", "survey"]
    list_select_related = ["survey"]
