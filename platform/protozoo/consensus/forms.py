"""What a reviewer fills in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from protozoo.consensus.labels import Labels


class ReviewForm(forms.Form):
    """A label for one subject, with the reason."""

    label = forms.ChoiceField(label=_("It is"))
    note = forms.CharField(
        label=_("Why (optional, public)"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: object, labels: Labels, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they are
        field = self.fields["label"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(label.key, label.name) for label in labels.classes]
