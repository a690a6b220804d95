"""What can stop a job."""

from protozoo.exceptions import ProtoZooError


class JobTaskError(ProtoZooError):
    """The job names something that is no task of this site."""

    code = "job_task"


class JobFailedError(ProtoZooError):
    """Work that was to be done here and now has failed."""

    code = "job_failed"


class JobCancelledError(ProtoZooError):
    """Somebody has asked for the job to stop."""

    code = "job_cancelled"
    status = 409


class LeaseLostError(ProtoZooError):
    """Somebody else has taken this job up; whoever sees this stops without a trace."""

    code = "lease_lost"
    status = 409


class JobStateError(ProtoZooError):
    """The job's state does not allow what was asked."""

    code = "job_state"
    status = 409
