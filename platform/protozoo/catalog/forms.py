"""What visitors fill in on the pages of catalogs."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from protozoo.consensus.labels import UNKNOWN, Labels
from protozoo.exceptions import ProtoZooError
from protozoo.sky.selectors import Cone


class FreezeForm(forms.Form):
    """A word about the new release."""

    notes = forms.CharField(
        label=_("What is new (optional, goes into the README)"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RowsForm(forms.Form):
    """Which rows of a release to show: in a cone, of a class, or simply the first."""

    ra = forms.FloatField(label=_("RA (degrees)"), required=False)
    dec = forms.FloatField(label=_("Dec (degrees)"), required=False)
    radius = forms.FloatField(label=_("Radius (arcmin)"), required=False, min_value=0)
    label = forms.ChoiceField(label=_("Class"), required=False)

    def __init__(self, *args: Any, labels: Labels, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["label"]
        assert isinstance(field, forms.ChoiceField)
        offered = {label.key: label.name for label in [UNKNOWN, *labels.classes]}
        field.choices = [("", _("any")), *offered.items()]
        for name in ("ra", "dec", "radius"):
            self.fields[name].widget.attrs["step"] = "any"

    def clean(self) -> dict[str, Any]:
        """Take a cone whole or not at all."""
        said: dict[str, Any] = super().clean() or {}
        numbers = [said.get(name) for name in ("ra", "dec", "radius")]
        given = [number for number in numbers if number is not None]
        if given and len(given) < len(numbers):
            raise ValidationError(_("A cone needs all three: RA, Dec and a radius."))
        if not given:
            return {**said, "cone": None}
        try:
            cone = Cone.of(given[0], given[1], given[2] / 60)
        except ProtoZooError as error:
            raise ValidationError(str(error)) from error
        return {**said, "cone": cone}
