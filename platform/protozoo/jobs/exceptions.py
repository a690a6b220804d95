"""What can stop a job."""

from protozoo.exceptions import ProtoZooError


class JobTaskError(ProtoZooError):
    """The job names something that is no task of this site."""

    code = "job_task"


class JobCancelledError(ProtoZooError):
    """Somebody has asked for the job to stop."""

    code = "job_cancelled"
    status = 409


class LeaseLostError(ProtoZooError):
    """Somebody else has taken this job up; whoever sees this stops without a trace."""

    code = "lease_lost"
    status = 409
