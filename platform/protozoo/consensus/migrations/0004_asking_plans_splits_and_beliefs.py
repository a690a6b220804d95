import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles"),
        ("consensus", "0003_earlier_runs_are_finished"),
        ("sorting", "0003_tell_copies_of_outliers"),
        ("subjects", "0001_initial"),
        ("voting", "0003_cap_after_enough_votes"),
    ]

    operations = [
        migrations.AddField(
            model_name="consensusrun",
            name="online",
            field=models.JSONField(
                default=dict,
                help_text="What single votes need to change beliefs until the next run.",
            ),
        ),
        migrations.CreateModel(
            name="AskingPlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sure",
                    models.FloatField(
                        default=0.95,
                        help_text="What has this probability is settled and asked no more.",
                    ),
                ),
                (
                    "n_questions",
                    models.PositiveIntegerField(
                        default=300, help_text="Grids and subjects that wait for answers at most."
                    ),
                ),
                (
                    "least_gain",
                    models.FloatField(
                        default=0.001,
                        help_text="Bits per second below which nothing more is to be learnt.",
                    ),
                ),
                (
                    "refit_votes",
                    models.PositiveIntegerField(
                        default=100, help_text="New votes after which all are merged again."
                    ),
                ),
                (
                    "refit_share",
                    models.FloatField(
                        default=0.05,
                        help_text="The same as a share of the votes merged; the larger number counts.",
                    ),
                ),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="asking_plan",
                        to="voting.campaign",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sure__gt", 0.5), ("sure__lt", 1)),
                        name="asking_plan_sure_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("least_gain__gte", 0), ("refit_share__gte", 0), ("refit_votes__gte", 1)
                        ),
                        name="asking_plan_limits_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ItemBelief",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("state", models.JSONField(help_text="See skysort.consensus.online.ItemState.")),
                (
                    "prototype",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sorting.prototype",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="item_beliefs",
                        to="consensus.consensusrun",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="subjects.subject",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "prototype"), name="belief_of_prototype_once"
                    ),
                    models.UniqueConstraint(
                        fields=("run", "subject"), name="belief_of_subject_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("prototype__isnull", True), ("subject__isnull", True), _connector="XOR"
                        ),
                        name="belief_is_of_one_thing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SplitProposal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purity",
                    models.FloatField(
                        help_text="Expected share of the commonest class of its members."
                    ),
                ),
                ("probability_mixed", models.FloatField(help_text="That people call it mixed.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("dismissed", "dismissed"),
                            ("split", "split"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="splits",
                        to="voting.campaign",
                    ),
                ),
                (
                    "prototype",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="splits",
                        to="sorting.prototype",
                    ),
                ),
            ],
            options={
                "ordering": ["purity", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "prototype"), name="split_proposal_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VolunteerBelief",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.JSONField(help_text="See skysort.consensus.online.VolunteerState."),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="volunteer_beliefs",
                        to="consensus.consensusrun",
                    ),
                ),
                (
                    "volunteer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.volunteer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "volunteer"), name="belief_of_volunteer_once"
                    )
                ],
            },
        ),
    ]
