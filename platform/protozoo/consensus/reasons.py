"""Says in plain sentences why a subject has its label."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
    said = _("%(reviewer)s looked at it on %(day)s and decided: %(label)s.") % {
        "reviewer": newest.reviewer,
        "day": date_format(newest.created_at, "DATE_FORMAT"),
        "label": labels.of(newest.label).name,
    }
    note = _("Their note: “%(note)s”") % {"note": newest.note} if newest.note else ""
    return " ".join(part for part in (said, _overruled(standing), note) if part)


def _overruled(standing: Standing) -> str:
    if standing.posterior is None or standing.opinion is None:
        return _("This overrules votes and machine.")
    name = standing.opinion.labels.of(standing.posterior.label).name
    return _("This overrules votes and machine, which say %(label)s for the reasons below.") % {
        "label": name
    }


def _unknown_sentence(posterior: SubjectPosterior) -> str:
    if not posterior.is_unknown:
        return ""
    return _(
        "No prototype resembles it and nobody has judged it yet, so it is called unknown; what"
        " stands here is little more than a guess."
    )


def _grid_sentence(posterior: SubjectPosterior) -> str:
    if posterior.weight_grid < SMALLEST_SHARE:
        return ""
    return ngettext(
        "%(share)s comes from one answer to a grid in which it was shown among members of its"
        " prototype.",
        "%(share)s comes from %(n)d answers to grids in which it was shown among members of its"
        " prototype.",
        posterior.n_votes_grid,
    ) % {"share": _percent(posterior.weight_grid), "n": posterior.n_votes_grid}


def _head_sentence(posterior: SubjectPosterior) -> str:
    if posterior.weight_head < SMALLEST_SHARE:
        return ""
    return _(
        "%(share)s comes from what the machine has learnt of votes on subjects that look like it,"
        " wherever they lie on the map."
    ) % {"share": _percent(posterior.weight_head)}


def _prototype_sentence(standing: Standing) -> str:
    posterior, place = standing.posterior, standing.assignment
    if posterior is None or place is None:
        return ""
    prototype = place.prototype
    if posterior.weight_prototype < SMALLEST_SHARE:
        return _unused_sentence(posterior.n_votes_prototype, str(prototype))
    if posterior.n_votes_prototype == 0:
        return _(
            "%(share)s comes from votes on the next prototype, %(next)s; nobody has voted on its"
            " own, %(prototype)s, yet."
        ) % {
            "share": _percent(posterior.weight_prototype),
            "next": place.second_prototype,
            "prototype": prototype,
        }
    others = prototype.n_members - 1
    alike = ngettext("%(n)d look-alike", "%(n)d look-alikes", others) % {"n": others}
    said = _(
        "%(share)s comes from %(votes)s on its %(prototype)s, where it lies with %(alike)s;"
        " %(nearness)s."
    ) % {
        "share": _percent(posterior.weight_prototype),
        "votes": _votes(posterior.n_votes_prototype),
        "prototype": prototype,
        "alike": alike,
        "nearness": _nearness(n_nearer_members(place), others),
    }
    return said + _next_prototype(standing, place)


def _next_prototype(standing: Standing, place: Assignment) -> str:
    """Name the second-best prototype where it has a say: votes, and a place near enough."""
    if standing.posterior is None or place.second_distance > FAR * place.distance:
        return ""
    second = place.second_prototype
    if prototype_posterior(standing.posterior.run, second) is None:
        return ""
    sentence = _("A lesser part of that comes from votes on the next one, %(next)s.")
    return " " + sentence % {"next": second}


def _unused_sentence(n_votes: int, prototype: str) -> str:
    if n_votes == 0:
        return _("Nobody has voted on its %(prototype)s yet.") % {"prototype": prototype}
    return _("What volunteers said of its %(prototype)s (%(votes)s) hardly counts here.") % {
        "prototype": prototype,
        "votes": _votes(n_votes),
    }


def _nearness(nearer: int, others: int) -> str:
    if others == 0:
        return _("it is alone there")
    if nearer == 0:
        return _("none resembles the prototype more")
    if nearer == others:
        return _("all of them resemble the prototype more")
    return _("%(share)s of them resemble the prototype more") % {"share": _percent(nearer / others)}


def _direct_sentence(standing: Standing) -> str:
    posterior = standing.posterior
    if posterior is None or posterior.weight_direct < SMALLEST_SHARE:
        return ""
    return _("%(share)s comes from %(votes)s on this very picture.") % {
        "share": _percent(posterior.weight_direct),
        "votes": _votes(posterior.n_votes_direct),
    }


def _prior_sentence(standing: Standing) -> str:
    posterior = standing.posterior
    if posterior is None or posterior.weight_prior < SMALLEST_SHARE:
        return ""
    return _(
        "%(share)s comes from how common each class is among everything that was voted on."
    ) % {"share": _percent(posterior.weight_prior)}


def _audit_sentence(standing: Standing) -> str:
    if not standing.subject.is_audit:
        return ""
    return _(
        "It belongs to the audit sample, drawn at random when the survey came in; votes on it"
        " are compared with what the map alone says of it."
    )


def _votes(n: int) -> str:
    return ngettext("one vote", "%(n)d votes", n) % {"n": n}


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", "\N{NARROW NO-BREAK SPACE}%")
