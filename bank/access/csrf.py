"""The CSRF token of a page's forms, in Django's format. Django checks it.

Django's own masking draws 32 random characters one by one and sets the cookie again on every page
(docs/performance.md).
"""

import secrets

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH
from django.utils.safestring import SafeString

_BASE = len(CSRF_ALLOWED_CHARS)
_MASKS = _BASE**CSRF_SECRET_LENGTH
_VALUES = {sign: value for value, sign in enumerate(CSRF_ALLOWED_CHARS)}


def token(request: HttpRequest) -> dict[str, SafeString]:
    """Return the context with the token for the cookie of the request, or an empty one if Django has to set the cookie.

    Django's middleware has validated the cookie.
    """
    secret = request.META.get("CSRF_COOKIE")
    if secret is None or secret != request.COOKIES.get(settings.CSRF_COOKIE_NAME):  # missing, or just replaced
        return {}
    return {"csrf_token": SafeString(masked(secret))}


def masked(secret: str) -> str:
    """Return a token that Django accepts: a random mask, and the secret shifted by it. It differs on every page."""
    number, mask, moved = secrets.randbelow(_MASKS), "", ""
    for sign in secret:
        number, step = divmod(number, _BASE)
        mask += CSRF_ALLOWED_CHARS[step]
        moved += CSRF_ALLOWED_CHARS[(_VALUES[sign] + step) % _BASE]
    return mask + moved
