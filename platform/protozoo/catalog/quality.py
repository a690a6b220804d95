"""How good a release is and what it cost, as its run knows and as its page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from protozoo.consensus.cost_curve import cost_curve
from protozoo.consensus.labels import Label, Labels
from protozoo.consensus.models import ConsensusRun
from protozoo.voting.models import Item

WAYS: Final = {
    "copied": _("Each prototype's commonest label, copied to its members"),
    "majority": _("The commonest label of votes on the source itself"),
}


@dataclass(frozen=True)
class ClassRow:
    """How much of a class is right, and how much of it is found."""

    label: Label
    purity: Mapping[str, Any]
    completeness: Mapping[str, Any]


@dataclass(frozen=True)
class KindRow:
    """What one kind of question has cost."""

    name: StrOrPromise
    n_votes: int
    seconds: float
    median_seconds: float

    @property
    def hours(self) -> float:
        return self.seconds / 3600


@dataclass(frozen=True)
class WayRow:
    """What one way to make labels out of votes costs and gives."""

    name: StrOrPromise
    votes_per_row: float | None
    share_rows: float
    agreement: float | None
    accuracy: Mapping[str, Any] | None
    is_ours: bool = False


# What is frozen ------------------------------------------------------------------------------
def quality_figures(run: ConsensusRun) -> dict[str, Any]:
    """Give what a run knows of its quality and its cost; a run of old may know nothing."""
    return {
        "quality": _quality(run),
        "kinds": run.ledger.get("kinds", {}),
        "baselines": {
            way: {**found, "votes_per_row": _per_row(found["n_votes"], found["n_rows"])}
            for way, found in run.ledger.get("baselines", {}).items()
        },
        "cost_curve": cost_curve(run),
    }


def _quality(run: ConsensusRun) -> dict[str, Any] | None:
    """Give what the audit tells of rows that nobody looked at; None if it tells nothing."""
    report = run.calibration.get("report")
    if not report or not report["n_informative"]:
        return None
    classes = zip(run.classes, report["purity"], report["completeness"], strict=True)
    calibration = run.calibration["calibration"]
    return {
        **{name: value for name, value in report.items() if name not in {"purity", "completeness"}},
        "classes": {
            key: {"purity": purity, "completeness": completeness}
            for key, purity, completeness in classes
        },
        "method": calibration["method"],
        "temperature": calibration["temperature"],
    }


def _per_row(n_votes: int, n_rows: int) -> float | None:
    return n_votes / n_rows if n_rows else None


# What is shown -------------------------------------------------------------------------------
def class_rows(figures: Mapping[str, Any], labels: Labels) -> list[ClassRow]:
    quality = figures.get("quality") or {"classes": {}}
    return [
        ClassRow(labels.of(key), found["purity"], found["completeness"])
        for key, found in quality["classes"].items()
    ]


def kind_rows(figures: Mapping[str, Any]) -> list[KindRow]:
    """List kinds of questions, in the order in which a campaign knows them."""
    kinds = figures.get("kinds", {})
    return [KindRow(kind.label, **kinds[kind]) for kind in Item.Kind if kind in kinds]


def way_rows(figures: Mapping[str, Any]) -> list[WayRow]:
    """List this catalog, then what counting makes of the same votes; none if it was not counted."""
    found = figures.get("baselines")
    if not found:
        return []
    quality = figures.get("quality")
    ours = WayRow(
        _("This catalog"),
        figures["votes_per_row"],
        share_rows=1.0,
        agreement=None,
        accuracy=quality and quality["accuracy"],
        is_ours=True,
    )
    return [ours, *(_way_row(WAYS[way], found[way]) for way in WAYS)]


def _way_row(name: StrOrPromise, found: Mapping[str, Any]) -> WayRow:
    return WayRow(
        name, found["votes_per_row"], found["share_rows"], found["agreement"], found["accuracy"]
    )
