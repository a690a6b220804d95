"""The whole way once, on the synthetic survey: import, sort, ask, merge, release."""

import csv
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from protozoo.catalog.models import Release
from protozoo.catalog.services import release_freeze
from protozoo.consensus.services import consensus_run
from protozoo.jobs.services import Report, job_do
from protozoo.pipeline.simulation import SimulatedCrowd, campaign_simulate
from protozoo.sorting.models import Sorting
from protozoo.sorting.services import sorting_create, sorting_find
from protozoo.subjects.models import Subject
from protozoo.subjects.services import SurveyAbout, SurveyFiles
from protozoo.surveys.models import Survey
from protozoo.voting.models import Campaign, Vote
from protozoo.voting.services import campaign_open, gold_add

SLUG: Final = "demo"
MAP: Final = {"rows": 8, "columns": 8, "n_rotations": 360, "n_epochs": 12, "seed": 1}
ABOUT: Final = SurveyAbout(
    title="Demo: a synthetic radio survey",
    description=(
        "Three small mosaics that look like pieces of a radio survey. No telescope saw them:"
        " every source and all the noise is drawn, so that the truth is known."
    ),
    licence="CC0 1.0",
    citation="Synthetic data of ProtoZoo, made by skysort.synthetic.make_survey",
    credit="skysort.synthetic",
    image_size=64,
    recipe="sqrt-1",
    # Larger than the usual 2 %: the survey is so small that 2 % would say next to nothing.
    audit_fraction=0.1,
)

# Three times the usual: of so few votes the usual share would say next to nothing.
AUDIT_SHARE: Final = 0.15
# They leave enough for people to settle, of all kinds.
CROWD: Final = SimulatedCrowd(votes_per_subject=0.4)
# Subjects of each class whose truth is known: volunteers are told whether they were right.
GOLD_PER_CLASS: Final = 2

# Opens a progress line for a stage of the demo.
Stage = Callable[[str], Report]


@dataclass(frozen=True)
class DemoResult:
    """What came out, for the last lines of the command."""

    release: Release
    catalog: Path
    n_simulated_votes: int
    n_subjects: int
    n_right: int

    @property
    def accuracy(self) -> float:
        """Share of the catalog's labels that are the truth."""
        return self.n_right / self.n_subjects

    @property
    def votes_per_row(self) -> float:
        return self.release.run.n_votes / self.n_subjects


def demo_run(*, stage: Stage) -> DemoResult:
    """Walk the whole way; what an earlier walk has done is found again and not done twice."""
    survey = _import(stage("1/5 import"))
    sorting = _sort(survey, stage("2/5 sort"))
    campaign = _open(sorting)
    truth = truth_of(survey)
    gold_add(campaign=campaign, labels=_gold(survey, truth), seed=CROWD.seed)
    campaign_simulate(campaign=campaign, truth=truth, crowd=CROWD, report=stage("3/5 vote"))
    consensus_run(campaign=campaign, report=stage("4/5 merge"))
    release = release_freeze(campaign=campaign, report=stage("5/5 release"))
    labels = dict(release.entries.values_list("subject_id", "label"))
    return DemoResult(
        release=release,
        catalog=_publish(release),
        n_simulated_votes=_n_simulated_votes(campaign),
        n_subjects=len(labels),
        n_right=sum(label == truth[subject] for subject, label in labels.items()),
    )


def truth_of(survey: Survey) -> dict[int, str]:
    """Read the right answer for every subject of the synthetic survey."""
    with (_fixtures() / "truth.csv").open(newline="") as file:
        answer_of = {row["id"]: row["answer"] for row in csv.DictReader(file)}
    subjects = Subject.objects.filter(survey=survey).values_list("pk", "identifier")
    return {key: answer_of[identifier] for key, identifier in subjects}


def _fixtures() -> Path:
    return Path(settings.ROOT) / "fixtures" / "survey"


def _import(report: Report) -> Survey:
    files = SurveyFiles(
        mosaics=str(_fixtures() / "*.fits.fz"), table=str(_fixtures() / "sources.csv")
    )
    job_do(
        task="protozoo.subjects.tasks.import_survey",
        arguments={"slug": SLUG, "files": asdict(files), "about": asdict(ABOUT)},
        title="Import the demo survey",
        on_progress=report,
    )
    return Survey.objects.get(slug=SLUG)


def _sort(survey: Survey, report: Report) -> Sorting:
    plan: dict[str, Any] = {**MAP, "recipe": survey.recipe}
    sorting = sorting_find(survey=survey, **plan) or sorting_create(survey=survey, **plan)
    if sorting.state != Sorting.State.READY:
        job_do(
            task="protozoo.sorting.tasks.sort",
            arguments={"sorting_id": sorting.pk},
            title="Sort the demo survey",
            on_progress=report,
        )
        sorting.refresh_from_db()
    report(1, 1, f"{sorting.n_subjects} subjects on {sorting.rows} x {sorting.columns} prototypes")
    return sorting


def _open(sorting: Sorting) -> Campaign:
    campaign = campaign_open(
        sorting=sorting,
        slug=SLUG,
        title="Shapes of the radio sky",
        introduction=(
            "Radio galaxies throw out jets of gas. Their shapes tell how strong the jets are and"
            " what they run into. A machine has put look-alikes together; tell us what they are."
        ),
        votes_to_retire=5,
    )
    if campaign.share_audit != AUDIT_SHARE:
        campaign.share_audit = AUDIT_SHARE
        campaign.save(update_fields=["share_audit"])
    return campaign


def _gold(survey: Survey, truth: Mapping[int, str]) -> dict[int, str]:
    """Take the first subjects of each class; the audit sample stays apart."""
    chosen: dict[int, str] = {}
    for subject in survey.subjects.filter(is_audit=False).values_list("pk", flat=True):
        if list(chosen.values()).count(truth[subject]) < GOLD_PER_CLASS:
            chosen[subject] = truth[subject]
    return chosen


def _n_simulated_votes(campaign: Campaign) -> int:
    return Vote.objects.filter(
        item__campaign=campaign, volunteer__is_simulated=True, superseded_at=None
    ).count()


def _publish(release: Release) -> Path:
    """Copy the newest release to where the README says that it lies."""
    folder = Path(settings.STORAGE_FOLDER) / "release"
    fresh = folder.with_name("release.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(release.folder, fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return folder / "catalog.fits"
