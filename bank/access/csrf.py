"""The token of a page's forms, at a tenth of what Django's takes: each page has one, and a cookie to go with it.

Django draws the 32 signs of a mask one by one, each from the system, and sets the cookie on every page anew, to put off
the end of its year. Ours lasts as long as the browser, like the session, so it is set once.
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
    """Give templates the token for the cookie that the browser has sent; where it has none of use, leave it to Django.

    Django has looked at the cookie before, and takes it for none where it is not made of allowed signs.
    """
    secret = request.META.get("CSRF_COOKIE")
    if secret is None or secret != request.COOKIES.get(settings.CSRF_COOKIE_NAME):  # none yet, or it was changed now
        return {}
    return {"csrf_token": SafeString(masked(secret))}


def masked(secret: str) -> str:
    """Return a token that Django takes: a mask, and the secret moved by it, so that no two pages have the same."""
    number, mask, moved = secrets.randbelow(_MASKS), "", ""
    for sign in secret:
        number, step = divmod(number, _BASE)
        mask += CSRF_ALLOWED_CHARS[step]
        moved += CSRF_ALLOWED_CHARS[(_VALUES[sign] + step) % _BASE]
    return mask + moved
