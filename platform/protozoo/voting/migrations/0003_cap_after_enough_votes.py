from django.db import migrations
from django.db.models import F


def raise_caps(apps, schema_editor):
    """Let campaigns that ask for more votes than the default cap have them."""
    campaigns = apps.get_model("voting", "Campaign").objects
    campaigns.filter(votes_to_retire__gt=F("votes_cap")).update(votes_cap=F("votes_to_retire"))


class Migration(migrations.Migration):
    dependencies = [("voting", "0002_grids_gold_and_priorities")]

    operations = [migrations.RunPython(raise_caps, migrations.RunPython.noop)]
