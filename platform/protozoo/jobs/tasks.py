"""What the queue asks of a worker."""

from protozoo.jobs.services import job_run


def run(job_id: int) -> None:
    """Run the job of this number, unless another worker holds it."""
    job_run(job_id=job_id)
