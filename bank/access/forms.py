"""The forms of log-in, password and second factor."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy


def check_password(request: HttpRequest, password: str) -> str:
    """Return the password of the logged-in user if it is right. Tries are throttled as at log-in."""
    if authenticate(request, username=request.user.get_username(), password=password) is None:
        raise forms.ValidationError(gettext("This is not your password."))
    return password


def focus(form: forms.BaseForm, name: str) -> None:
    """Focus this field, also if the form shows errors: nothing typed into it is kept."""
    form.fields[name].widget.attrs["autofocus"] = True


class ConfirmForm(forms.Form):
    """The logged-in user's password, entered again."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Enter your password.")},
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        focus(self, "password")

    def clean_password(self) -> str:
        return check_password(self.request, self.cleaned_data["password"])


class PasswordForm(PasswordChangeForm):
    """The current password, and the new one twice."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["old_password"].label = gettext("Current password")
        self.fields["new_password2"].label = gettext("New password again")
        self.fields["new_password2"].help_text = ""
        hint = gettext("Twelve characters or more. Not your user name, and none that is common.")
        self.fields["new_password1"].help_text = hint
        focus(self, "old_password")

    def clean_old_password(self) -> str:
        return check_password(self.request, self.cleaned_data["old_password"])


class CodeForm(forms.Form):
    """The six digits of the authenticator app."""

    code = forms.RegexField(
        r"^[0-9]{6}$",
        label=gettext_lazy("Code"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 6}),
        error_messages={
            "required": gettext_lazy("Enter the code."),
            "invalid": gettext_lazy("The code has six digits."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        focus(self, "code")
