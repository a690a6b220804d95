"""Tells where a release comes from: the survey, the map, the votes, the model and the code."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum
from django.template.loader import render_to_string

from protozoo.accounts.models import Volunteer
from protozoo.catalog.columns import Column
from protozoo.catalog.models import Release
from protozoo.catalog.quality import class_rows, kind_rows, quality_figures, way_rows
from protozoo.catalog.rows import CONFIDENT, Tally
from protozoo.catalog.writers import About, Fact
from protozoo.consensus.labels import Labels
from protozoo.consensus.models import ConsensusRun
from protozoo.sorting.models import Sorting
from protozoo.surveys.models import ImportRun, Survey
from skysort import __version__

FORMAT: Final = "protozoo-release/1"
UNKNOWN_LICENCE: Final = "not stated by the survey"


@dataclass(frozen=True)
class Voters:
    """How much of a run comes from whom."""

    n_votes: int
    n_volunteers: int
    n_simulated_votes: int
    n_simulated_volunteers: int

    @property
    def is_simulated(self) -> bool:
        return self.n_simulated_volunteers > 0

    @property
    def is_all_simulated(self) -> bool:
        return self.is_simulated and self.n_simulated_volunteers == self.n_volunteers


def voters_of(run: ConsensusRun) -> Voters:
    simulated = Q(volunteer__is_simulated=True)
    counted = run.volunteers.aggregate(
        people=Count("pk", filter=simulated), votes=Sum("n_votes", filter=simulated)
    )
    return Voters(run.n_votes, run.n_volunteers, counted["votes"] or 0, counted["people"])


def names_of(run: ConsensusRun) -> list[str]:
    """Give, by the alphabet, those of a run's volunteers who chose to be named."""
    wanting = run.volunteers.exclude(volunteer__credit=Volunteer.Credit.NONE)
    rows = wanting.filter(volunteer__is_simulated=False).select_related("volunteer")
    return sorted((row.volunteer.credited_as for row in rows), key=str.casefold)


def figures_of(release: Release, tally: Tally) -> dict[str, Any]:
    """Give what a release cost and how good it is, as far as its run knows."""
    run = release.run
    n_rows = max(tally.n_rows, 1)
    return {
        "votes_per_row": run.n_votes / n_rows,
        "seconds_per_row": run.seconds_of_volunteers / n_rows,
        "class_counts": {key: tally.labels[key] for key in _all_labels(run, tally)},
        "n_unknown": tally.n_unknown,
        "source_counts": dict(sorted(tally.sources.items())),
        "mean_entropy_bits": tally.sum_entropy_bits / n_rows,
        "share_confident": tally.n_confident / n_rows,
        "confident_from": CONFIDENT,
        "audit": run.audit,
        **quality_figures(run),
    }


def _all_labels(run: ConsensusRun, tally: Tally) -> list[str]:
    """List the run's classes in their order, then reviewers' labels that are none of them."""
    return [*run.classes, *sorted(set(tally.labels) - set(run.classes))]


def provenance_of(release: Release, columns: Sequence[Column]) -> dict[str, Any]:
    """Collect everything that is to be known of a release; `release.figures` is already set."""
    campaign, run = release.campaign, release.run
    survey = campaign.sorting.survey
    labels = Labels(run.question)
    reviews = campaign.reviews.filter(pk__lte=release.last_review_id)
    return {
        "format": FORMAT,
        "title": release_title(release),
        "version": release.version,
        "date": release_date(release),
        "n_rows": release.n_rows,
        "notes": release.notes,
        "how_to_cite": how_to_cite(release),
        "code": {"name": "ProtoZoo", "version": __version__},
        "survey": _survey(survey),
        "sorting": _sorting(campaign.sorting),
        "child_maps": [_child_map(child) for child in _children(run)],
        "campaign": {
            "slug": campaign.slug,
            "title": campaign.title,
            "votes_to_retire": campaign.votes_to_retire,
            "question_version": run.question.version,
            "question": run.question.tree,
            "classes": [{"key": key, "name": labels.of(key).name} for key in run.classes],
        },
        "votes": _votes(voters_of(run)),
        "thanks": names_of(run),
        "consensus": _consensus(run),
        "reviews": {
            "n_reviews": reviews.count(),
            "n_reviewers": reviews.order_by().values("reviewer").distinct().count(),
            "last_review_id": release.last_review_id,
        },
        "figures": release.figures,
        "columns": [
            {
                "name": column.name,
                "unit": column.unit,
                "ucd": column.ucd,
                "description": column.description,
            }
            for column in columns
        ],
    }


def release_title(release: Release) -> str:
    return f"{release.campaign.title}, release {release.version}"


def release_date(release: Release) -> str:
    """Give the release's date as FITS writes it; UTC, whole seconds."""
    return release.created_at.strftime("%Y-%m-%dT%H:%M:%S")


def how_to_cite(release: Release) -> str:
    survey = release.campaign.sorting.survey
    source = survey.citation or survey.title
    voters = voters_of(release.run)
    warning = f" {voters_sentence(voters)}" if voters.is_simulated else ""
    return (
        f"{release_title(release)} ({release.created_at:%Y}), a morphology catalog of"
        f" {survey.title} made with ProtoZoo {__version__}.{warning} Images: {source}"
    )


def _survey(survey: Survey) -> dict[str, Any]:
    return {
        "slug": survey.slug,
        "title": survey.title,
        "description": survey.description,
        "licence": survey.licence or UNKNOWN_LICENCE,
        "citation": survey.citation,
        "credit": survey.credit,
        "n_subjects": survey.subjects.count(),
        "image_size": survey.image_size,
        "n_channels": survey.n_channels,
        "pixel_scale_arcsec": survey.pixel_scale_arcsec,
        "audit_fraction": survey.audit_fraction,
        "imports": [_import_run(run) for run in survey.import_runs.order_by("started_at", "pk")],
    }


def _import_run(run: ImportRun) -> dict[str, Any]:
    return {
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "source": {name: _without_folder(value) for name, value in run.source.items() if value},
        "n_rows": run.n_rows,
        "n_imported": run.n_imported,
        "n_unchanged": run.n_unchanged,
        "n_rejected": run.n_rejected,
    }


def _without_folder(value: Any) -> Any:
    """Keep the names of files, not where they lay on somebody's machine."""
    return PurePath(value).name if isinstance(value, str) else value


def _sorting(sorting: Sorting) -> dict[str, Any]:
    return {
        "id": sorting.pk,
        "recipe": sorting.recipe,
        "rows": sorting.rows,
        "columns": sorting.columns,
        "topology": sorting.topology,
        "is_periodic": sorting.is_periodic,
        "n_epochs": sorting.n_epochs,
        "n_rotations": sorting.n_rotations,
        "seed": sorting.seed,
        "n_subjects": sorting.n_subjects,
        "quantization_error": sorting.quantization_error,
        "topographic_error": sorting.topographic_error,
        "map_sha256": sorting.map_checksum,
    }


def _children(run: ConsensusRun) -> QuerySet[Sorting]:
    """Find the maps of single prototypes' members that the run has merged."""
    merged = run.items.values("item__prototype__sorting")
    children = Sorting.objects.filter(pk__in=merged, parent__isnull=False)
    return children.select_related("parent").order_by("pk")


def _child_map(child: Sorting) -> dict[str, Any]:
    assert child.parent is not None  # by the query above
    return {
        "prototype_row": child.parent.row,
        "prototype_column": child.parent.column,
        **_sorting(child),
    }


def _votes(voters: Voters) -> dict[str, Any]:
    return {
        "n_votes": voters.n_votes,
        "n_volunteers": voters.n_volunteers,
        "n_simulated_votes": voters.n_simulated_votes,
        "n_simulated_volunteers": voters.n_simulated_volunteers,
        "simulated": voters_sentence(voters),
    }


def voters_sentence(voters: Voters) -> str:
    """Say plainly whether people voted."""
    if voters.is_all_simulated:
        return "All votes are simulated: no person took part."
    if voters.is_simulated:
        return (
            f"{voters.n_simulated_votes} of the {voters.n_votes} votes are simulated, by"
            f" {voters.n_simulated_volunteers} of the {voters.n_volunteers} volunteers."
        )
    return "No vote is simulated: all come from people."


def _consensus(run: ConsensusRun) -> dict[str, Any]:
    return {
        "id": run.pk,
        "model": run.model,
        "settings": run.settings,
        "date": run.created_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "last_vote_id": run.last_vote_id,
        "n_iterations": run.n_iterations,
        "has_converged": run.has_converged,
        "log_likelihood": run.log_likelihood,
        "code_version": run.code_version,
    }


def about_of(release: Release) -> About:
    """Shorten the provenance to what fits into the headers of files."""
    said = release.provenance
    sorting, votes = said["sorting"], said["votes"]
    return About(
        name=f"{release.campaign.slug}-v{release.version}",
        title=said["title"],
        version=str(release.version),
        licence=said["survey"]["licence"],
        citation=said["how_to_cite"],
        date=said["date"],
        facts=[
            Fact("survey", said["survey"]["title"]),
            Fact("recipe", sorting["recipe"]),
            Fact("map", f"{sorting['rows']} x {sorting['columns']}, seed {sorting['seed']}"),
            Fact("map_sha256", sorting["map_sha256"]),
            Fact("question", f"version {said['campaign']['question_version']}"),
            Fact("votes", f"{votes['n_votes']} by {votes['n_volunteers']} volunteers"),
            Fact("simulated", votes["simulated"]),
            Fact("model", said["consensus"]["model"]),
            Fact("reviews", f"{said['reviews']['n_reviews']} by {said['reviews']['n_reviewers']}"),
            Fact("votes_per_row", f"{said['figures']['votes_per_row']:.3g}"),
            Fact("accuracy", _accuracy_sentence(said["figures"]["quality"])),
            Fact("code", f"ProtoZoo {said['code']['version']}"),
        ],
    )


def _accuracy_sentence(quality: dict[str, Any] | None) -> str:
    """Say how good the catalog is in one line of a header."""
    if quality is None:
        return "not known: no audit subject has votes that tell"
    share = quality["accuracy"]
    return (
        f"{share['value']:.3f} ({share['low']:.3f} to {share['high']:.3f} at"
        f" {quality['confidence']:.0%}) of the labels that no vote on the source itself has helped"
    )


def readme_of(release: Release, columns: Sequence[Column]) -> str:
    """Write the README that lies beside the files."""
    context = {
        "about": release.provenance,
        "columns": columns,
        "is_all_simulated": voters_of(release.run).is_all_simulated,
        "classes": class_rows(release.figures, Labels(release.run.question)),
        "kinds": kind_rows(release.figures),
        "ways": way_rows(release.figures),
    }
    return render_to_string("catalog/README.md", context)
