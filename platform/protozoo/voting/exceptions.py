"""What can be wrong with a campaign, a question tree or a vote."""

from protozoo.exceptions import ProtoZooError


class TreeError(ProtoZooError):
    """A question tree that cannot be asked."""

    code = "tree_invalid"


class CampaignError(ProtoZooError):
    """A campaign that cannot be opened as asked."""

    code = "campaign_invalid"
    status = 409


class ProposalError(ProtoZooError):
    """An item that cannot be asked as proposed, or a priority that is none."""

    code = "proposal_invalid"


class GoldFileError(ProtoZooError):
    """A table of known classes that cannot be read."""

    code = "gold_file_invalid"


class CampaignClosedError(ProtoZooError):
    code = "campaign_closed"
    status = 409


class VolunteerUnknownError(ProtoZooError):
    code = "volunteer_unknown"
    status = 403


class ItemUnknownError(ProtoZooError):
    code = "item_unknown"
    status = 404


class ItemRetiredError(ProtoZooError):
    code = "item_retired"
    status = 409


class AlreadyVotedError(ProtoZooError):
    code = "already_voted"
    status = 409


class AnswerError(ProtoZooError):
    """An answer that does not fit the question."""

    code = "answer_invalid"


class RemarksError(ProtoZooError):
    """Tags or a comment that cannot be kept as they are."""

    code = "remarks_invalid"


class MarksError(ProtoZooError):
    """Marks that do not fit on a picture."""

    code = "marks_invalid"


class VoteUnknownError(ProtoZooError):
    code = "vote_unknown"
    status = 404


class QuestionOutdatedError(ProtoZooError):
    code = "question_outdated"
    status = 409


class ClientUuidTakenError(ProtoZooError):
    code = "client_uuid_taken"
    status = 409


class BodyTooLargeError(ProtoZooError):
    code = "body_too_large"
    status = 413


class ZooniverseError(ProtoZooError):
    """An export of Zooniverse that cannot be brought in as asked."""

    code = "zooniverse_invalid"
