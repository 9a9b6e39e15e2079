"""The locale of a request: the language of its user decides words, dates and the signs of amounts together."""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps

from django.conf import settings
from django.utils.translation import get_language


def current_locale() -> str:
    """Return the CLDR locale in which amounts and days are shown and read now.

    For a user of the bank's own language it is `BANK_LOCALE`, whatever its territory; else that of the chosen language.
    """
    language = get_language()
    if language in (None, settings.LANGUAGE_CODE):
        return str(settings.BANK_LOCALE)
    return str(settings.LANGUAGE_LOCALES[language])


def cached_by_language[**P, T](function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function to keep its latest results in each language. Its arguments must be hashable."""

    @lru_cache(maxsize=4096)
    def cached(language: str | None, *args: Hashable) -> T:
        return function(*args)  # type: ignore[arg-type, call-arg]

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> T:
        return cached(get_language(), *args)

    return answer
