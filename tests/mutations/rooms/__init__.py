"""The mutations of each room of the code."""

from collections.abc import Mapping, Sequence

from ..mutation import Mutation
from . import access, application, domain, eventstore, processes, projections, screens, tills, verification

ROOMS: Mapping[str, Sequence[Mutation]] = {
    "domain": domain.MUTATIONS,
    "application": application.MUTATIONS,
    "process managers": processes.MUTATIONS,
    "tills": tills.MUTATIONS,
    "event store": eventstore.MUTATIONS,
    "verification and backup": verification.MUTATIONS,
    "projections": projections.MUTATIONS,
    "screens": screens.MUTATIONS,
    "access and health": access.MUTATIONS,
}
