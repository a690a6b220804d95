import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sorting", "0003_tell_copies_of_outliers"),
    ]

    operations = [
        migrations.AddField(
            model_name="sorting",
            name="parent",
            field=models.ForeignKey(
                help_text="Prototype whose members alone are sorted; none: the whole survey is.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="children",
                to="sorting.prototype",
            ),
        ),
    ]
