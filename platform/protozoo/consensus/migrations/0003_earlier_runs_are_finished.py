from typing import Any

from django.db import migrations, models


def finish_earlier_runs(apps: Any, schema_editor: Any) -> None:
    """Runs used to be written in one transaction, so those that are there are whole."""
    runs = apps.get_model("consensus", "ConsensusRun").objects
    runs.filter(finished_at=None).update(finished_at=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("consensus", "0002_evidence_of_grids_and_heads")]

    operations = [migrations.RunPython(finish_earlier_runs, migrations.RunPython.noop)]
