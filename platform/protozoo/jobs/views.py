"""The pages of background work, for those who may operate the site."""

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from protozoo.jobs.models import Job
from protozoo.jobs.selectors import jobs
from protozoo.jobs.services import job_cancel, job_retry

JOBS_PER_PAGE: Final = 50


@require_safe
@login_required
@permission_required("accounts.operate", raise_exception=True)
def job_list(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    state = state if state in Job.State.values else ""
    found = jobs().filter(state=state) if state else jobs()
    page = Paginator(found, JOBS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "state": state, "states": Job.State.choices}
    return render(request, "jobs/jobs.html", context)


@require_safe
@login_required
@permission_required("accounts.operate", raise_exception=True)
def job(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(jobs(), pk=pk)
    context = {
        "job": shown,
        "can_cancel": not shown.is_finished and not shown.cancel_requested,
        "can_retry": shown.can_retry,
    }
    return render(request, "jobs/job.html", context)


@require_POST
@login_required
@permission_required("accounts.operate", raise_exception=True)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    stopped = job_cancel(job_id=get_object_or_404(Job, pk=pk).pk)
    if stopped.state == Job.State.CANCELLED:
        messages.success(request, _("The job is cancelled."))
    elif stopped.is_finished:
        messages.warning(request, _("The job was finished already."))
    else:
        messages.success(request, _("The job will stop at its next step."))
    return redirect("job", pk=pk)


@require_POST
@login_required
@permission_required("accounts.operate", raise_exception=True)
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    waiting = job_retry(job_id=get_object_or_404(Job, pk=pk).pk)
    if waiting.state == Job.State.QUEUED:
        messages.success(request, _("The job waits for a worker again."))
    else:
        messages.warning(request, _("Only failed and cancelled jobs can be tried again."))
    return redirect("job", pk=pk)
