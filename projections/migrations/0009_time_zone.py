"""The checkpoint of the daily totals names their time zone. Totals that exist are in that of the settings."""

from typing import Any

from django.conf import settings
from django.db import migrations


def name_time_zone(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.alias == "projections":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE projections_checkpoint SET built_with = %s WHERE name = 'daily' AND built_with = ''",
                [settings.TIME_ZONE],
            )


class Migration(migrations.Migration):
    dependencies = [("projections", "0008_parked_streams")]
    operations = [migrations.RunPython(name_time_zone, migrations.RunPython.noop)]
