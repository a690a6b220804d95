from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consensus", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="consensusrun",
            name="calibration",
            field=models.JSONField(
                default=dict,
                help_text="How probabilities were calibrated, and how honest they are.",
            ),
        ),
        migrations.AddField(
            model_name="consensusrun",
            name="finished_at",
            field=models.DateTimeField(help_text="None while its rows are written.", null=True),
        ),
        migrations.AddField(
            model_name="consensusrun",
            name="inputs_checksum",
            field=models.CharField(
                blank=True,
                help_text="SHA-256 of all that was merged beside the votes.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="consensusrun",
            name="ledger",
            field=models.JSONField(
                default=dict,
                help_text="Votes and seconds by kind of question, and what they brought.",
            ),
        ),
        migrations.AddField(
            model_name="subjectposterior",
            name="is_unknown",
            field=models.BooleanField(
                default=False, help_text="No prototype resembles it and nobody has judged it."
            ),
        ),
        migrations.AddField(
            model_name="subjectposterior",
            name="n_volunteers",
            field=models.PositiveIntegerField(
                default=0, help_text="Different people behind all of these votes."
            ),
        ),
        migrations.AddField(
            model_name="subjectposterior",
            name="n_votes_grid",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="subjectposterior",
            name="reliability",
            field=models.FloatField(
                help_text="Mean chance of these votes' volunteers to name the true class.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="subjectposterior",
            name="weight_grid",
            field=models.FloatField(
                default=0.0, help_text="Share that comes from ticks and passes in grids of members."
            ),
        ),
        migrations.AddField(
            model_name="subjectposterior",
            name="weight_head",
            field=models.FloatField(
                default=0.0, help_text="Share that comes from look-alikes anywhere on the map."
            ),
        ),
        migrations.AddField(
            model_name="volunteerposterior",
            name="n_judgments",
            field=models.PositiveIntegerField(default=0, help_text="Members of grids judged."),
        ),
        migrations.AddField(
            model_name="volunteerposterior",
            name="ticks_members",
            field=models.FloatField(
                help_text="Chance of ticking a member of a grid that belongs.", null=True
            ),
        ),
        migrations.AddField(
            model_name="volunteerposterior",
            name="ticks_strangers",
            field=models.FloatField(
                help_text="Chance of ticking a member of a grid that does not belong.", null=True
            ),
        ),
    ]
