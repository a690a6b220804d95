"""What a worker's fresh process imports: it sets Django up and runs one job."""

import django
from django.apps import apps

if not apps.ready:  # a spawned worker starts here, without manage.py
    django.setup()

from protozoo.jobs.services import job_run


def run(job_id: int) -> None:
    """Run the job of this number, unless another worker holds it."""
    job_run(job_id=job_id)
