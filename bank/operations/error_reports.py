"""Error reports, by mail or as the debug page, without any input of users.

Any local variable may hold a PIN, so no report shows local variables, with `DEBUG` or without. No report shows posted
data or query strings.
"""

from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

HIDDEN = SafeExceptionReporterFilter.cleansed_substitute
ADDRESSES = ("QUERY_STRING", "HTTP_REFERER", "HTTP_HX_CURRENT_URL", "REQUEST_URI", "RAW_URI")
"""The request headers and variables that hold a whole address."""


class DiscreetFilter(SafeExceptionReporterFilter):
    """Filter that hides every value that a user may have typed."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        meta = super().get_safe_request_meta(request)
        return {**meta, **{name: HIDDEN for name in ADDRESSES if meta.get(name)}}

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        return {} if request is None else dict.fromkeys(request.POST, HIDDEN)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, HIDDEN).items()


class DiscreetReporter(ExceptionReporter):
    """Reporter that hides query strings."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if self.request is not None:
            data["request_GET_items"] = [(name, HIDDEN) for name in self.request.GET]
            data["request_insecure_uri"] = data["request_insecure_uri"].partition("?")[0]
        return data
