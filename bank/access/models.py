"""The write side's tables of log-ins."""

from django.contrib.auth.models import User
from django.db import models


class LogInTries(models.Model):
    """The recent password tries of a device, a place or a user. See `throttle.py`."""

    key = models.CharField(
        max_length=64, primary_key=True, help_text="A keyed hash: a password may be typed as a user name"
    )
    tries = models.PositiveIntegerField(default=0, help_text="Without success, since the time below")
    since = models.DateTimeField(db_index=True)
    last_at = models.DateTimeField()
    logged_in_at = models.DateTimeField(null=True, help_text="When a log-in of this user from here last succeeded")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.tries} tries"


class UsedCode(models.Model):
    """A used code of a second factor. It is stored as long as the second factor, because a clock may be set back."""

    user = models.ForeignKey(User, models.DB_CASCADE)
    step = models.BigIntegerField(help_text="The time step of the code (RFC 6238)")

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=["user", "step"], name="code_is_used_once"),)

    def __str__(self) -> str:
        return f"step {self.step}"
