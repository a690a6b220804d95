"""Makes the three roles as groups with their permissions."""

from django.db import migrations

PERMISSIONS = {
    "classify": "Can classify in campaigns",
    "review": "Can review labels and freeze releases",
    "operate": "Can import surveys, sort them and run campaigns",
}
ROLES = {
    "volunteer": ["classify"],
    "scientist": ["classify", "review"],
    "admin": ["classify", "review", "operate"],
}


def make_roles(apps, schema_editor):
    # Django makes permissions only after the last migration, so this one makes its own.
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="accounts", model="user"
    )
    permission_model = apps.get_model("auth", "Permission")
    permissions = {
        codename: permission_model.objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )[0]
        for codename, name in PERMISSIONS.items()
    }
    for role, codenames in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.add(*(permissions[codename] for codename in codenames))


def remove_roles(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_roles, remove_roles)]
