"""The inspector of the record in the Django admin."""

from . import inspector as inspector  # registers the models
