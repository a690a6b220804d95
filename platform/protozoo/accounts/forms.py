"""What people fill in about themselves."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from protozoo.accounts.exceptions import CreditError
from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.services import volunteer_credit


class CreditForm(forms.Form):
    """How a volunteer wants to be thanked."""

    credit = forms.ChoiceField(
        label=_("Thank me"), choices=Volunteer.Credit.choices, widget=forms.RadioSelect
    )
    full_name = forms.CharField(label=_("My name"), required=False, max_length=80)
    nickname = forms.CharField(label=_("My nickname"), required=False, max_length=40)

    def __init__(self, *args: Any, volunteer: Volunteer, **kwargs: Any) -> None:
        names = {"full_name": volunteer.full_name, "nickname": volunteer.nickname}
        kwargs["initial"] = {"credit": volunteer.credit, **names}
        super().__init__(*args, **kwargs)
        self._volunteer = volunteer

    def save(self) -> bool:
        """Write the wish down; what is wrong with it is told in the form."""
        if not self.is_valid():
            return False
        try:
            volunteer_credit(volunteer=self._volunteer, **self.cleaned_data)
        except CreditError as error:
            self.add_error(self._field_of_name(), str(error))
            return False
        return True

    def _field_of_name(self) -> str:
        is_name = self.cleaned_data["credit"] == Volunteer.Credit.NAME
        return "full_name" if is_name else "nickname"


class LeaveForm(forms.Form):
    """The password, or the account's name where there is no password, before an account goes."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    username = forms.CharField(label=_("Your user name, to be sure"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user
        del self.fields["username" if user.has_usable_password() else "password"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self._user.check_password(password):
            raise ValidationError(_("This is not your password."))
        return password

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if username != self._user.get_username():
            raise ValidationError(_("This is not your user name."))
        return username
