"""The API of campaigns and votes; its addresses stand at the end."""

import uuid
from typing import IO, Any, Final

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from protozoo.accounts.cookies import volunteer_cookie_set
from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.selectors import volunteer_of_request
from protozoo.accounts.services import volunteer_of_token, volunteer_of_user
from protozoo.voting.exceptions import BodyTooLargeError, VolunteerUnknownError
from protozoo.voting.models import Campaign, Item, Vote
from protozoo.voting.proposals import MOST_MEMBERS
from protozoo.voting.selectors import (
    campaign_progress,
    campaigns_progress,
    campaigns_public,
    items_shown,
    question_newest,
    queue_state,
    votes_of,
)
from protozoo.voting.services import GridAnswer, items_lease, vote_record
from protozoo.voting.trees import KINDS, SHAPES, leaf_title

# A vote takes a few hundred bytes and a list of excluded items a few thousand.
MAX_BODY_BYTES: Final = 32_768
MAX_BIGINT: Final = 2**63 - 1
MAX_INTEGER: Final = 2**31 - 1
# A gold item passes for a subject.
SHOWN_KINDS: Final = [choice for choice in Item.Kind.choices if choice[0] != Item.Kind.GOLD]
TREE_KINDS: Final = [choice for choice in Item.Kind.choices if choice[0] in KINDS]


class SmallJSONParser(JSONParser):
    """Reads JSON that is neither long nor deep."""

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        length = int(parser_context["request"].META.get("CONTENT_LENGTH") or 0)
        if length > MAX_BODY_BYTES:
            raise BodyTooLargeError(
                f"The body has {length} bytes; at most {MAX_BODY_BYTES} are accepted here."
            )
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class MayClassify(BasePermission):
    """Lets in anybody without an account, and accounts that may classify."""

    message = "This account may not classify; ask the people who run the site."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return not request.user.is_authenticated or request.user.has_perm("accounts.classify")


# Campaigns ----------------------------------------------------------------------------------
class AnswerSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field is called so
    help = serializers.CharField(required=False)
    means = serializers.ChoiceField(["class", "mixed", "unknown"], allow_null=True, required=False)
    next = serializers.CharField(allow_null=True, required=False)
    kinds = serializers.ListField(
        child=serializers.ChoiceField(TREE_KINDS),
        required=False,
        help_text=(
            "Only for these kinds of items; without it, for all. All kinds of single subjects are"
            " asked alike: an answer for one of them is for all of them."
        ),
    )
    asks_marks = serializers.BooleanField(
        required=False, help_text="Marking follows this answer; marks may be put without it, too."
    )


class StepSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    help = serializers.CharField(required=False)
    answers = AnswerSerializer(many=True)


class RoleSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field is called so
    help = serializers.CharField(required=False)
    shape = serializers.ChoiceField(SHAPES)
    most = serializers.IntegerField(help_text="Marks of this role in one picture, at most.")


class TreeSerializer(serializers.Serializer[Any]):
    root = serializers.CharField(  # type: ignore[assignment]  # the field is called so
        help_text="Key of the first question."
    )
    questions = serializers.DictField(child=StepSerializer())
    marks = RoleSerializer(
        many=True,
        required=False,
        help_text="What may be marked in a prototype or a single subject; without it, nothing.",
    )


class QuestionSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    tree = TreeSerializer()


class ProgressSerializer(serializers.Serializer[Any]):
    n_items = serializers.IntegerField()
    n_retired = serializers.IntegerField(help_text="Items with enough votes.")
    n_votes = serializers.IntegerField()
    n_volunteers = serializers.IntegerField()
    n_subjects = serializers.IntegerField()


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    question = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = [
            "slug", "title", "introduction", "state", "sorting", "votes_to_retire", "question",
            "progress",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(QuestionSerializer)
    def get_question(self, campaign: Campaign) -> dict[str, Any]:
        newest = campaign.questions.all()[0]
        return {"version": newest.version, "tree": newest.tree}

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, campaign: Campaign) -> Any:
        known = self.context.get("progress", {}).get(campaign.pk)
        return ProgressSerializer(known or campaign_progress(campaign)).data


class CampaignList(generics.ListAPIView[Campaign]):
    """All campaigns with their question and progress."""

    queryset = campaigns_public()
    serializer_class = CampaignSerializer
    filterset_fields = ["state", "sorting"]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "progress": campaigns_progress(rows)}
        return self.get_paginated_response(
            CampaignSerializer(rows, many=True, context=context).data
        )


class CampaignDetail(generics.RetrieveAPIView[Campaign]):
    """One campaign with its question and progress."""

    queryset = campaigns_public()
    serializer_class = CampaignSerializer
    lookup_field = "slug"


# Items --------------------------------------------------------------------------------------
class NextRequestSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, max_value=10, default=1)
    exclude = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_BIGINT),
        max_length=1000,
        default=list,
        help_text="Items that the page already holds.",
    )


class PictureSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    alt = serializers.CharField()
    pixels_url = serializers.CharField(help_text="Its pixels as FITS, in the same frame.")
    scale_arcsec = serializers.FloatField(
        allow_null=True, help_text="Edge of a pixel; null if the survey does not tell."
    )
    subject_id = serializers.IntegerField(allow_null=True)


class ItemSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(SHOWN_KINDS)
    question_version = serializers.IntegerField()
    title = serializers.CharField()
    description = serializers.CharField()
    main = PictureSerializer()
    members = PictureSerializer(many=True)
    context = serializers.DictField()  # type: ignore[assignment]  # the field is called so
    page_url = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # the field is called so
        allow_null=True,
        help_text="Of a grid: the class that its group is said to be. Null for all other kinds.",
    )
    label_title = serializers.CharField(allow_null=True, help_text="That class in words.")


class NextSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["items", "seen_all", "done", "closed"])
    items = ItemSerializer(many=True)


class Next(APIView):
    """Hand out items that this volunteer has not answered yet.

    Whoever comes without an account and without a cookie becomes an anonymous volunteer and gets
    the cookie by which the next request is known again.
    """

    permission_classes = [MayClassify]
    parser_classes = [SmallJSONParser]

    @extend_schema(request=NextRequestSerializer, responses=NextSerializer)
    def post(self, request: Request, slug: str) -> Response:
        asked = NextRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        campaign = get_object_or_404(campaigns_public(), slug=slug)
        volunteer = _volunteer(request) or volunteer_of_token(token=uuid.uuid4())
        items = items_lease(campaign=campaign, volunteer=volunteer, **asked.validated_data)
        question = question_newest(campaign)
        answer = {
            "state": "items" if items else queue_state(campaign=campaign),
            "items": items_shown(items, question=question),
        }
        response = Response(NextSerializer(answer).data)
        if not request.user.is_authenticated:
            volunteer_cookie_set(response, token=volunteer.token)
        return response


def _volunteer(request: Request) -> Volunteer | None:
    if isinstance(request.user, User):
        return volunteer_of_user(user=request.user)
    return _volunteer_known(request)


def _volunteer_known(request: Request) -> Volunteer | None:
    return volunteer_of_request(request._request)  # noqa: SLF001  # the cookie reader is Django's


# Votes --------------------------------------------------------------------------------------
class GridAnswerSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(Vote.Verdict.choices)
    ticked = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_BIGINT),
        max_length=MOST_MEMBERS,
        help_text="Subjects that do not belong; empty if the grid is too mixed to say.",
    )


class VoteRequestSerializer(serializers.Serializer[Any]):
    client_uuid = serializers.UUIDField(help_text="Made in the browser, once for each answer.")
    item = serializers.IntegerField(min_value=1, max_value=MAX_BIGINT)
    question_version = serializers.IntegerField(min_value=1, max_value=MAX_INTEGER)
    path = serializers.ListField(
        child=serializers.CharField(max_length=60),
        min_length=1,
        max_length=50,
        required=False,
        help_text="Keys of all answers from the root of the tree to the leaf; not for a grid.",
    )
    grid = GridAnswerSerializer(required=False, help_text="Only for a grid, instead of path.")
    seconds = serializers.FloatField(help_text="From the item's appearance to the answer.")
    answered_at = serializers.DateTimeField(help_text="By the volunteer's clock.")

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        if "path" in fields and "grid" in fields:
            raise serializers.ValidationError({"grid": "A vote has a path or a grid, not both."})
        if "path" not in fields and "grid" not in fields:
            raise serializers.ValidationError({"path": "A vote needs a path, or a grid."})
        if "grid" in fields:
            fields["grid"] = GridAnswer(**fields["grid"])
        return fields


class GoldSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(  # type: ignore[assignment]  # the field is called so
        help_text="The class that the subject is known to be."
    )
    label_title = serializers.CharField()
    is_right = serializers.BooleanField()


class VoteSerializer(serializers.ModelSerializer[Vote]):
    campaign = serializers.CharField(source="item.campaign.slug", read_only=True)
    question_version = serializers.IntegerField(source="question.version", read_only=True)
    path = serializers.ListField(child=serializers.CharField(), read_only=True)
    ticked = serializers.ListField(
        child=serializers.IntegerField(),
        read_only=True,
        allow_null=True,
        help_text="Subjects of a grid that do not belong; null for all other items.",
    )
    gold = serializers.SerializerMethodField(
        help_text="What the subject is known to be, if it was a gold item; null otherwise."
    )

    class Meta:
        model = Vote
        fields = [
            "id", "client_uuid", "campaign", "item", "question_version", "answer", "path",
            "ticked", "gold", "seconds", "answered_at", "received_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(GoldSerializer(allow_null=True))
    def get_gold(self, vote: Vote) -> Any:
        if vote.item.kind != Item.Kind.GOLD:
            return None
        label = vote.item.label
        return GoldSerializer(
            {
                "label": label,
                "label_title": leaf_title(vote.question.tree, label),
                "is_right": vote.answer == label,
            }
        ).data


class VoteCreate(APIView):
    """Take a vote; sent again with the same client_uuid, it is the same vote."""

    permission_classes = [MayClassify]
    parser_classes = [SmallJSONParser]

    @extend_schema(
        request=VoteRequestSerializer,
        responses={
            201: VoteSerializer,
            200: OpenApiResponse(VoteSerializer, description="This vote has come before."),
        },
    )
    def post(self, request: Request) -> Response:
        volunteer = _volunteer(request)
        if volunteer is None:
            raise VolunteerUnknownError(
                "We cannot tell who you are, so the vote was not taken. Allow cookies for this"
                " site and load the page again."
            )
        sent = VoteRequestSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        fields = dict(sent.validated_data)
        vote, created = vote_record(volunteer=volunteer, item_id=fields.pop("item"), **fields)
        return Response(VoteSerializer(vote).data, status=201 if created else 200)


class OwnVotes(generics.ListAPIView[Vote]):
    """The votes of whoever asks, the newest first."""

    permission_classes = [AllowAny]
    queryset = Vote.objects.all()
    serializer_class = VoteSerializer

    def get_queryset(self) -> QuerySet[Vote]:
        volunteer = _volunteer_known(self.request)
        return votes_of(volunteer) if volunteer is not None else Vote.objects.none()


urlpatterns: list[URLPattern] = [
    path("campaigns/", CampaignList.as_view(), name="api-campaigns"),
    path("campaigns/<slug:slug>/", CampaignDetail.as_view(), name="api-campaign"),
    path("campaigns/<slug:slug>/next/", Next.as_view(), name="api-next"),
    path("votes/", VoteCreate.as_view(), name="api-votes"),
    path("votes/mine/", OwnVotes.as_view(), name="api-votes-mine"),
]
