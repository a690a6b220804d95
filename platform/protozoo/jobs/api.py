"""The API of jobs; its addresses stand at the end."""

from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from protozoo.jobs.exceptions import JobStateError
from protozoo.jobs.models import Job
from protozoo.jobs.selectors import jobs
from protozoo.jobs.services import job_cancel, job_retry


class MayOperate(BasePermission):
    message = "Jobs are for those who operate the site."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.has_perm("accounts.operate")


class JobSerializer(serializers.ModelSerializer[Job]):
    percent = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="None while the total is not known."
    )
    is_finished = serializers.BooleanField(read_only=True)
    created_by = serializers.CharField(
        source="created_by.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Job
        fields = [
            "id", "title", "task", "arguments", "state", "percent", "progress_done",
            "progress_total", "message", "result", "error", "attempts", "cancel_requested",
            "is_finished", "created_by", "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class JobList(generics.ListAPIView[Job]):
    """All background work, the newest first."""

    queryset = jobs()
    serializer_class = JobSerializer
    permission_classes = [MayOperate]
    filterset_fields = ["state", "task"]


class JobDetail(generics.RetrieveAPIView[Job]):
    """One piece of background work and how far it has come."""

    queryset = jobs()
    serializer_class = JobSerializer
    permission_classes = [MayOperate]


class JobCancel(APIView):
    """Ask a job to stop at its next step; one that waits stops at once."""

    queryset = Job.objects.all()
    permission_classes = [MayOperate]

    @extend_schema(request=None, responses=JobSerializer)
    def post(self, request: Request, pk: int) -> Response:
        before = get_object_or_404(Job, pk=pk)
        if before.is_finished:
            raise JobStateError(
                f"Job {pk} is {before.get_state_display()} and cannot be cancelled."
            )
        return Response(JobSerializer(job_cancel(job_id=pk)).data)


class JobRetry(APIView):
    """Put a failed or cancelled job back into the queue."""

    queryset = Job.objects.all()
    permission_classes = [MayOperate]

    @extend_schema(request=None, responses=JobSerializer)
    def post(self, request: Request, pk: int) -> Response:
        before = get_object_or_404(Job, pk=pk)
        if not before.can_retry:
            raise JobStateError(
                f"Job {pk} is {before.get_state_display()}; only a failed or cancelled job can be"
                " tried again."
            )
        return Response(JobSerializer(job_retry(job_id=pk)).data)


urlpatterns: list[URLPattern] = [
    path("jobs/", JobList.as_view(), name="api-jobs"),
    path("jobs/<int:pk>/", JobDetail.as_view(), name="api-job"),
    path("jobs/<int:pk>/cancel/", JobCancel.as_view(), name="api-job-cancel"),
    path("jobs/<int:pk>/retry/", JobRetry.as_view(), name="api-job-retry"),
]
