"""The inspector of the record in the Django admin."""

from . import inspector as inspector  # registers the models
from . import working_tables as working_tables
