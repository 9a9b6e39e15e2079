"""Roles of the bank: the groups of users and their permissions.

| group       | looks at accounts | does a teller's tasks | corrects, unlocks, gives new PINs | looks into the admin |
|-------------|-------------------|-----------------------|-----------------------------------|----------------------|
| Tellers     | yes               | yes                   | no                                | no                   |
| Supervisors | yes               | yes                   | yes                               | no                   |
| Auditors    | yes               | no                    | no                                | yes, if marked staff |

Supervisors and auditors also see the manager's pages: the bank's totals and all refused withdrawals. They need no
permission of their own, so the groups of an existing bank have them too. A superuser may do everything. Nobody can
change the record.
"""

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_noop

LOOK = ("bank", "view_accounts")
SERVE = ("bank", "serve_customers")
SUPERVISE = ("bank", "supervise")
INSPECTED = {
    "eventstore": ("event", "commandrecord", "snapshot", "subscription"),
    "projections": (
        "accountsummary",
        "statementline",
        "refusedwithdrawal",
        "moneytransfer",
        "banktotals",
        "dailytotals",
        "tillshift",
        "tillmovement",
        "checkpoint",
        "parkedstream",
    ),
}

ROLES: dict[str, list[tuple[str, str]]] = {
    gettext_noop("Tellers"): [LOOK, SERVE],
    gettext_noop("Supervisors"): [LOOK, SERVE, SUPERVISE],
    gettext_noop("Auditors"): [
        LOOK,
        *((app, f"view_{model}") for app, models in INSPECTED.items() for model in models),
    ],
}


def make_groups() -> None:
    """Create the missing groups and permissions. Existing ones stay."""
    for name, permissions in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        for app, codename in permissions:
            group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
