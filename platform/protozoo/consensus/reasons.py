"""Says in plain sentences why a subject has its label."""

from protozoo.consensus.labels import Labels
from protozoo.consensus.models import SubjectPosterior
from protozoo.consensus.selectors import Standing, n_nearer_members, prototype_posterior
from protozoo.sorting.models import Assignment

# A share below this is not worth a sentence.
SMALLEST_SHARE = 0.005
# A second-best prototype so many times farther has next to no say: 1 / (1 + 3 ** 4) is a hundredth.
FAR = 3.0


def reasons(standing: Standing) -> list[str]:
    """Explain a subject's label; an empty list when it has none yet."""
    said = []
    if standing.opinion is not None and standing.reviews:
        said.append(_review_sentence(standing, standing.opinion.labels))
    if standing.posterior is not None:
        said += [_unknown_sentence(standing.posterior), _direct_sentence(standing)]
        said += [_grid_sentence(standing.posterior), _prototype_sentence(standing)]
        said += [_head_sentence(standing.posterior), _prior_sentence(standing)]
        said += [_audit_sentence(standing)]
    return [sentence for sentence in said if sentence]


def _review_sentence(standing: Standing, labels: Labels) -> str:
    newest = standing.reviews[0]
    note = f" Their note: “{newest.note}”" if newest.note else ""
    return (
        f"{newest.reviewer} looked at it on {newest.created_at:%d %B %Y} and decided:"
        f" {labels.of(newest.label).name}. This overrules votes and machine{_overruled(standing)}."
        f"{note}"
    )


def _overruled(standing: Standing) -> str:
    if standing.posterior is None or standing.opinion is None:
        return ""
    name = standing.opinion.labels.of(standing.posterior.label).name
    return f", which say {name} for the reasons below"


def _unknown_sentence(posterior: SubjectPosterior) -> str:
    if not posterior.is_unknown:
        return ""
    return (
        "No prototype resembles it and nobody has judged it yet, so it is called unknown; what"
        " stands here is little more than a guess."
    )


def _grid_sentence(posterior: SubjectPosterior) -> str:
    if posterior.weight_grid < SMALLEST_SHARE:
        return ""
    n = posterior.n_votes_grid
    answers = "one answer to a grid" if n == 1 else f"{n} answers to grids"
    return (
        f"{_percent(posterior.weight_grid)} comes from {answers} in which it was shown among"
        " members of its prototype."
    )


def _head_sentence(posterior: SubjectPosterior) -> str:
    if posterior.weight_head < SMALLEST_SHARE:
        return ""
    return (
        f"{_percent(posterior.weight_head)} comes from what the machine has learnt of votes on"
        " subjects that look like it, wherever they lie on the map."
    )


def _prototype_sentence(standing: Standing) -> str:
    posterior, place = standing.posterior, standing.assignment
    if posterior is None or place is None:
        return ""
    prototype = place.prototype
    if posterior.weight_prototype < SMALLEST_SHARE:
        return _unused_sentence(posterior.n_votes_prototype, str(prototype))
    if posterior.n_votes_prototype == 0:
        return (
            f"{_percent(posterior.weight_prototype)} comes from votes on the next prototype,"
            f" {place.second_prototype}; nobody has voted on its own, {prototype}, yet."
        )
    votes = _votes(posterior.n_votes_prototype)
    others = prototype.n_members - 1
    alike = f"{others} look-alike{'s' if others != 1 else ''}"
    nearer = n_nearer_members(place)
    return (
        f"{_percent(posterior.weight_prototype)} comes from {votes} on its {prototype}, where it"
        f" lies with {alike}; {_nearness(nearer, others)}.{_next_prototype(standing, place)}"
    )


def _next_prototype(standing: Standing, place: Assignment) -> str:
    """Name the second-best prototype where it has a say: votes, and a place near enough."""
    if standing.posterior is None or place.second_distance > FAR * place.distance:
        return ""
    second = place.second_prototype
    if prototype_posterior(standing.posterior.run, second) is None:
        return ""
    return f" A lesser part of that comes from votes on the next one, {second}."


def _unused_sentence(n_votes: int, prototype: str) -> str:
    if n_votes == 0:
        return f"Nobody has voted on its {prototype} yet."
    return f"What volunteers said of its {prototype} ({_votes(n_votes)}) hardly counts here."


def _nearness(nearer: int, others: int) -> str:
    if others == 0:
        return "it is alone there"
    if nearer == 0:
        return "none resembles the prototype more"
    if nearer == others:
        return "all of them resemble the prototype more"
    return f"{_percent(nearer / others)} of them resemble the prototype more"


def _direct_sentence(standing: Standing) -> str:
    posterior = standing.posterior
    if posterior is None or posterior.weight_direct < SMALLEST_SHARE:
        return ""
    votes = _votes(posterior.n_votes_direct)
    return f"{_percent(posterior.weight_direct)} comes from {votes} on this very picture."


def _prior_sentence(standing: Standing) -> str:
    posterior = standing.posterior
    if posterior is None or posterior.weight_prior < SMALLEST_SHARE:
        return ""
    return (
        f"{_percent(posterior.weight_prior)} comes from how common each class is among everything"
        " that was voted on."
    )


def _audit_sentence(standing: Standing) -> str:
    if not standing.subject.is_audit:
        return ""
    return (
        "It belongs to the audit sample, drawn at random when the survey came in; votes on it"
        " are compared with what the map alone says of it."
    )


def _votes(n: int) -> str:
    return "one vote" if n == 1 else f"{n} votes"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", "\N{NARROW NO-BREAK SPACE}%")
