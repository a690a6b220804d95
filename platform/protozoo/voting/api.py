"""The API of campaigns and votes; its addresses stand at the end."""

import uuid
from typing import IO, Any, Final

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
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
from protozoo.voting import marked_api
from protozoo.voting.exceptions import BodyTooLargeError, ItemUnknownError, VolunteerUnknownError
from protozoo.voting.guide import guide_of
from protozoo.voting.limits import newcomer_admit, vote_admit
from protozoo.voting.models import MAX_COMMENT, Campaign, Item, Vote
from protozoo.voting.proposals import MOST_MEMBERS
from protozoo.voting.remarks import MAX_TAG, MAX_TAGS, Remarks
from protozoo.voting.selectors import (
    campaign_progress,
    campaigns_progress,
    campaigns_public,
    items_public,
    items_shown,
    question_newest,
    queue_state,
    votes_of,
    wanted_notice,
)
from protozoo.voting.services import items_lease
from protozoo.voting.trees import KINDS, SHAPES, leaf_title
from protozoo.voting.votes import (
    GridAnswer,
    favourite_add,
    favourite_remove,
    item_skip,
    vote_record,
)

# A vote takes a few hundred bytes and a list of excluded items a few thousand.
MAX_BODY_BYTES: Final = 32_768
# As many as a page holds ahead for a train without a network.
MAX_COUNT: Final = 12
# Examples change slowly: whoever reloads the page need not fetch them again.
GUIDE_KEPT_S: Final = 300
MAX_BIGINT: Final = 2**63 - 1
MAX_INTEGER: Final = 2**31 - 1
# A gold item passes for a subject.
SHOWN_KINDS: Final = [choice for choice in Item.Kind.choices if choice[0] != Item.Kind.GOLD]
RANKS: Final = ("nearest", "farthest")
NOTICES: Final = ("answered", "retired", "unknown")
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
    suggested_tags = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Tags that volunteers are offered."
    )
    question = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = [
            "slug", "title", "introduction", "state", "sorting", "votes_to_retire",
            "suggested_tags", "question", "progress",
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
    count = serializers.IntegerField(min_value=1, max_value=MAX_COUNT, default=1)
    exclude = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_BIGINT),
        max_length=1000,
        default=list,
        help_text="Items that the page already holds.",
    )
    wanted = serializers.IntegerField(
        min_value=1,
        max_value=MAX_BIGINT,
        allow_null=True,
        default=None,
        help_text="An item to show first, such as that of a link; `notice` tells why it is not.",
    )


class PictureSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    alt = serializers.CharField()
    pixels_url = serializers.CharField(help_text="Its pixels as FITS, in the same frame.")
    scale_arcsec = serializers.FloatField(
        allow_null=True, help_text="Edge of a pixel; null if the survey does not tell."
    )
    subject_id = serializers.IntegerField(allow_null=True)
    rank = serializers.ChoiceField(
        RANKS,
        allow_null=True,
        help_text="Of a prototype's member: among the most alike, or among the least. Else null.",
    )


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
    is_favourite = serializers.BooleanField(help_text="Of the volunteer who asks.")
    share_url = serializers.CharField(help_text="Page of this item that can be passed on.")


class NextSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["items", "seen_all", "done", "closed"])
    items = ItemSerializer(many=True)
    notice = serializers.ChoiceField(
        NOTICES,
        allow_null=True,
        help_text=(
            "Why the wanted item is not there: the volunteer has answered it or judged what it"
            " shows, it takes no more answers, or this campaign has none such. Null if it is, or"
            " if none was wanted."
        ),
    )


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
        volunteer = _volunteer(request) or _newcomer(request)
        items = items_lease(campaign=campaign, volunteer=volunteer, **asked.validated_data)
        question = question_newest(campaign)
        wanted = asked.validated_data["wanted"]
        there = {None, *asked.validated_data["exclude"], *(item.pk for item in items)}
        notice = (
            wanted_notice(wanted, campaign=campaign, volunteer=volunteer)
            if wanted not in there
            else None
        )
        answer = {
            "state": "items" if items else queue_state(campaign=campaign),
            "items": items_shown(items, question=question, volunteer=volunteer),
            "notice": notice,
        }
        response = Response(NextSerializer(answer).data)
        if not request.user.is_authenticated:
            volunteer_cookie_set(response, token=volunteer.token)
        return response


def _volunteer(request: Request) -> Volunteer | None:
    if isinstance(request.user, User):
        return volunteer_of_user(user=request.user)
    return _volunteer_known(request)


def _newcomer(request: Request) -> Volunteer:
    newcomer_admit(request)
    return volunteer_of_token(token=uuid.uuid4())


def _volunteer_known(request: Request) -> Volunteer | None:
    return volunteer_of_request(request._request)  # noqa: SLF001  # the cookie reader is Django's


def _volunteer_must(request: Request) -> Volunteer:
    volunteer = _volunteer(request)
    if volunteer is None:
        raise VolunteerUnknownError(
            _(
                "We cannot tell who you are, so nothing was written down. Allow cookies for this"
                " site and load the page again."
            )
        )
    return volunteer


def _item_public(pk: int) -> Item:
    item = items_public().filter(pk=pk).first() if pk <= MAX_BIGINT else None
    if item is None:
        raise ItemUnknownError(_("There is no item {number}.").format(number=pk))
    return item


class ItemSkip(APIView):
    """Show an item to the volunteer again only when nothing else is left."""

    permission_classes = [MayClassify]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, pk: int) -> Response:
        item_skip(item=_item_public(pk), volunteer=_volunteer_must(request))
        return Response(status=204)


class ItemFavourite(APIView):
    """Put an item among the volunteer's favourites or take it off; again, it stays as it is."""

    permission_classes = [MayClassify]

    @extend_schema(request=None, responses={204: None})
    def put(self, request: Request, pk: int) -> Response:
        favourite_add(item=_item_public(pk), volunteer=_volunteer_must(request))
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        favourite_remove(item=_item_public(pk), volunteer=_volunteer_must(request))
        return Response(status=204)


# Votes --------------------------------------------------------------------------------------
class GridAnswerSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(Vote.Verdict.choices)
    ticked = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_BIGINT),
        max_length=MOST_MEMBERS,
        help_text="Subjects that do not belong; empty if the grid is too mixed to say.",
    )


class RemarksSerializer(serializers.Serializer[Any]):
    tags = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        default=list,
        help_text=f"At most {MAX_TAGS}, each of at most {MAX_TAG} characters.",
    )
    is_strange = serializers.BooleanField(
        default=False, help_text="The volunteer wants somebody to have a look at it."
    )
    comment = serializers.CharField(
        default="", allow_blank=True, help_text=f"At most {MAX_COMMENT} characters."
    )


class MarkSerializer(serializers.Serializer[Any]):
    """A point, or a box around it, from the picture's center: x to the right and y up."""

    role = serializers.CharField(max_length=60, help_text="Key of a role of the question's tree.")
    shape = serializers.ChoiceField(SHAPES)
    x_arcsec = serializers.FloatField()
    y_arcsec = serializers.FloatField()
    width_arcsec = serializers.FloatField(required=False, help_text="Only of a box.")
    height_arcsec = serializers.FloatField(required=False, help_text="Only of a box.")


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
    supersedes = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text=(
            "client_uuid of the volunteer's earlier vote on this item, in whose place the new one"
            " shall count. Not for an item whose answer tells `gold`: there the first one counts."
        ),
    )
    remarks = RemarksSerializer(required=False)
    marks = MarkSerializer(many=True, required=False)

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        if "path" in fields and "grid" in fields:
            raise serializers.ValidationError({"grid": "A vote has a path or a grid, not both."})
        if "path" not in fields and "grid" not in fields:
            raise serializers.ValidationError({"path": "A vote needs a path, or a grid."})
        if "grid" in fields:
            fields["grid"] = GridAnswer(**fields["grid"])
        if "remarks" in fields:
            fields["remarks"] = Remarks(**fields["remarks"])
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

    supersedes = serializers.UUIDField(
        source="supersedes.client_uuid",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="client_uuid of the vote in whose place this one counts.",
    )
    remarks = RemarksSerializer(source="*", read_only=True)
    marks = MarkSerializer(many=True, read_only=True)

    class Meta:
        model = Vote
        fields = [
            "id", "client_uuid", "campaign", "item", "question_version", "answer", "path",
            "ticked", "gold", "seconds", "answered_at", "received_at", "supersedes", "remarks",
            "marks",
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
        volunteer = _volunteer_must(request)
        vote_admit(request, volunteer)
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


# Learning -----------------------------------------------------------------------------------
class ExampleSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    alt = serializers.CharField()


class GuideEntrySerializer(serializers.Serializer[Any]):
    key = serializers.CharField(source="answer.key")
    label = serializers.CharField(source="answer.label")  # type: ignore[assignment]  # so called
    help = serializers.CharField(source="answer.help", default="")
    number = serializers.IntegerField(help_text="Of the answer's color and shape, from 1.")
    examples = ExampleSerializer(many=True)


class TurningSerializer(serializers.Serializer[Any]):
    group = ExampleSerializer()
    before = ExampleSerializer(many=True, help_text="Members as the telescope saw them.")
    after = ExampleSerializer(many=True, help_text="The same members, turned like their group.")


class PracticeQuestionSerializer(serializers.Serializer[Any]):
    picture = ExampleSerializer()
    answer = serializers.CharField(
        allow_null=True, help_text="Key of the class that others see; null if nobody knows."
    )


class PracticeGridSerializer(serializers.Serializer[Any]):
    group = ExampleSerializer()
    members = ExampleSerializer(many=True)
    odd = serializers.IntegerField(help_text="Place of the one of another group, from 0.")


class TutorialSerializer(serializers.Serializer[Any]):
    turning = TurningSerializer(allow_null=True)
    question = PracticeQuestionSerializer(allow_null=True)
    grid = PracticeGridSerializer(allow_null=True)
    outlier = ExampleSerializer(allow_null=True)


class GuideSerializer(serializers.Serializer[Any]):
    entries = GuideEntrySerializer(many=True)
    tutorial = TutorialSerializer()


class LearningGuide(APIView):
    """What the answers mean, with examples from the campaign itself, and a tutorial's pictures."""

    permission_classes = [AllowAny]

    @extend_schema(responses=GuideSerializer)
    def get(self, request: Request, slug: str) -> Response:
        campaign = get_object_or_404(campaigns_public(), slug=slug)
        response = Response(GuideSerializer(guide_of(campaign)).data)
        response["Cache-Control"] = f"private, max-age={GUIDE_KEPT_S}"
        return response


urlpatterns: list[URLPattern] = [
    path("campaigns/", CampaignList.as_view(), name="api-campaigns"),
    path("campaigns/<slug:slug>/", CampaignDetail.as_view(), name="api-campaign"),
    path("campaigns/<slug:slug>/next/", Next.as_view(), name="api-next"),
    path("items/<int:pk>/skip/", ItemSkip.as_view(), name="api-item-skip"),
    path("items/<int:pk>/favourite/", ItemFavourite.as_view(), name="api-item-favourite"),
    path("campaigns/<slug:slug>/guide/", LearningGuide.as_view(), name="api-guide"),
    path("votes/", VoteCreate.as_view(), name="api-votes"),
    path("votes/mine/", OwnVotes.as_view(), name="api-votes-mine"),
    *marked_api.urlpatterns,
]
