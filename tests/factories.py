"""Makes what tests need in the database; each function fills in whatever it is not told.

The cast: Annie votes, Williamina reviews, Edward imports, Charlie may do nothing.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from protozoo.accounts.models import User, Volunteer
from protozoo.accounts.roles import PERMISSIONS_OF_ROLE
from protozoo.accounts.services import role_grant, volunteer_of_user
from protozoo.catalog.models import Entry, Release
from protozoo.consensus.models import (
    ConsensusRun,
    ItemPosterior,
    Review,
    SubjectPosterior,
    VolunteerPosterior,
)
from protozoo.jobs.models import Job
from protozoo.sky.positions import healpix_of
from protozoo.sorting.models import Assignment, Prototype, Sorting
from protozoo.subjects.models import Subject
from protozoo.surveys.models import Survey
from protozoo.voting.models import Campaign, GridMember, Item, Question, Vote
from protozoo.voting.trees import default_tree

CLASSES = ["compact", "fri", "frii", "bent", "other", "artefact"]

_numbers = itertools.count(1)


def make_user(username: str = "", *, role: str = "", **fields: Any) -> User:
    """Make a user; role is "volunteer", "scientist", "admin" or none."""
    name = username or f"user-{next(_numbers)}"
    user = User.objects.create_user(name, f"{name}@example.org", "the-great-refractor", **fields)
    if role:
        make_roles()
        role_grant(user=user, role=role)
    return user


def make_roles() -> None:
    """Make the roles again if a test with transaction=True has flushed what migrations wrote."""
    for role, codenames in PERMISSIONS_OF_ROLE.items():
        group, created = Group.objects.get_or_create(name=role)
        if created:
            group.permissions.set(Permission.objects.filter(codename__in=codenames))


def make_annie() -> User:
    return make_user("annie", role="volunteer")


def make_williamina() -> User:
    return make_user("williamina", role="scientist")


def make_edward() -> User:
    return make_user("edward", role="admin")


def make_charlie() -> User:
    return make_user("charlie")


def make_volunteer(user: User | None = None, *, is_simulated: bool = False) -> Volunteer:
    """Make an anonymous (or simulated) volunteer, or the one of a user."""
    if user is not None:
        return volunteer_of_user(user=user)
    return Volunteer.objects.create(is_simulated=is_simulated)


def make_survey(slug: str = "", **fields: Any) -> Survey:
    name = slug or f"survey-{next(_numbers)}"
    return Survey.objects.create(
        slug=name,
        **{
            "title": f"The {name} survey",
            "licence": "CC0",
            "citation": "A made-up survey for tests",
            "image_size": 16,
            "pixel_scale_arcsec": 1.8,
            **fields,
        },
    )


def make_subjects(
    n_subjects: int, *, survey: Survey | None = None, n_audit: int = 0, seed: int = 0
) -> list[Subject]:
    """Make subjects at random positions; the last n_audit of them are the audit sample."""
    survey = survey or make_survey()
    rng = np.random.default_rng(seed)
    ra_deg = rng.uniform(0, 360, n_subjects)
    dec_deg = np.degrees(np.arcsin(rng.uniform(-1, 1, n_subjects)))
    healpix = healpix_of(ra_deg, dec_deg)
    first = survey.subjects.count()
    return Subject.objects.bulk_create(
        Subject(
            survey=survey,
            identifier=f"S{first + number:05d}",
            ra_deg=float(ra_deg[number]),
            dec_deg=float(dec_deg[number]),
            healpix=int(healpix[number]),
            shard=0,
            row=first + number,
            origin="made.fits",
            columns={"flux_mjy": round(float(rng.uniform(1, 100)), 3)},
            is_audit=number >= n_subjects - n_audit,
        )
        for number in range(n_subjects)
    )


def make_subject(*, survey: Survey | None = None, **fields: Any) -> Subject:
    subject = make_subjects(1, survey=survey, seed=next(_numbers))[0]
    for name, value in fields.items():
        setattr(subject, name, value)
    if "ra_deg" in fields or "dec_deg" in fields:
        subject.healpix = int(healpix_of(subject.ra_deg, subject.dec_deg))
    subject.save()
    return subject


def write_pixels(survey: Survey, *, seed: int = 0) -> None:
    """Write a shard folder with a random blob for each subject of the survey."""
    from skysort.images.shards import ShardWriter

    rng = np.random.default_rng(seed)
    n_channels, size, _ = survey.image_shape
    n_subjects = survey.subjects.count()
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    width = rng.uniform(1, size / 4, (n_subjects, 2, 1, 1, 1))
    blobs = np.exp(-((x / width[:, 0]) ** 2) - (y / width[:, 1]) ** 2)
    noise = rng.normal(0, 0.02, (n_subjects, n_channels, size, size))
    survey.shard_folder.parent.mkdir(parents=True, exist_ok=True)
    about = {"survey": survey.slug, "licence": survey.licence, "recipe": survey.recipe}
    with ShardWriter(survey.shard_folder, image_shape=survey.image_shape, about=about) as writer:
        writer.append((blobs + noise).astype(np.float32))


def make_sorting(
    *,
    survey: Survey | None = None,
    rows: int = 2,
    columns: int = 3,
    n_subjects: int = 30,
    n_audit: int = 4,
    n_empty: int = 1,
    with_pixels: bool = False,
    seed: int = 0,
    **fields: Any,
) -> Sorting:
    """Make a ready sorting: prototypes (the last n_empty without members) and assignments.

    Subjects are made unless the survey has some; with_pixels also writes their shards and the
    prototypes' pictures.
    """
    survey = survey or make_survey()
    if not survey.subjects.exists():
        make_subjects(n_subjects, survey=survey, n_audit=n_audit, seed=seed)
    subjects = list(survey.subjects.all())
    sorting = Sorting.objects.create(
        survey=survey,
        rows=rows,
        columns=columns,
        **{
            "state": Sorting.State.READY,
            "recipe": survey.recipe,
            "n_subjects": len(subjects),
            "history": [{"epoch": 1, "quantization_error": 0.7}],
            "quantization_error": 0.5,
            "topographic_error": 0.1,
            "map_checksum": "0" * 64,
            "finished_at": timezone.now(),
            **fields,
        },
    )
    _make_map(sorting, subjects, n_empty=n_empty, seed=seed)
    if with_pixels:
        write_pixels(survey, seed=seed)
        write_prototype_pictures(sorting, seed=seed)
    return sorting


def _make_map(sorting: Sorting, subjects: Sequence[Subject], *, n_empty: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_units = sorting.rows * sorting.columns
    n_used = max(1, n_units - n_empty)
    best = np.arange(len(subjects)) % n_used
    distance = rng.uniform(0.1, 1.0, len(subjects))
    rank = np.empty(len(subjects), dtype=int)
    rank[np.argsort(-distance)] = np.arange(1, len(subjects) + 1)
    prototypes = Prototype.objects.bulk_create(
        Prototype(
            sorting=sorting,
            row=unit // sorting.columns,
            column=unit % sorting.columns,
            n_members=int((best == unit).sum()),
            mean_distance=float(distance[best == unit].mean()) if (best == unit).any() else None,
            neighbour_distance=float(rng.uniform(0.1, 0.5)),
        )
        for unit in range(n_units)
    )
    Assignment.objects.bulk_create(
        Assignment(
            sorting=sorting,
            subject=subject,
            prototype=prototypes[best[number]],
            second_prototype=prototypes[(best[number] + 1) % n_units],
            distance=float(distance[number]),
            second_distance=float(distance[number] + 0.1),
            angle_rad=float(rng.uniform(0, 2 * np.pi)),
            is_flipped=bool(rng.integers(2)),
            outlier_score=float(distance[number]),
            outlier_rank=int(rank[number]),
        )
        for number, subject in enumerate(subjects)
    )


def write_prototype_pictures(sorting: Sorting, *, seed: int = 0) -> None:
    """Write random pictures of the prototypes where the sorting keeps them."""
    shape = (sorting.rows * sorting.columns, *sorting.survey.image_shape)
    sorting.folder.mkdir(parents=True, exist_ok=True)
    pictures = np.random.default_rng(seed).random(shape, dtype=np.float32)
    np.save(sorting.pictures_path, pictures)


def make_campaign(
    *,
    sorting: Sorting | None = None,
    slug: str = "",
    tree: dict[str, Any] | None = None,
    n_outliers: int = 3,
    seed: int = 0,
    **fields: Any,
) -> Campaign:
    """Make an open campaign with a question and items of all kinds."""
    sorting = sorting or make_sorting()
    name = slug or f"campaign-{next(_numbers)}"
    campaign = Campaign.objects.create(
        sorting=sorting,
        slug=name,
        **{
            "title": f"The {name} campaign",
            "introduction": "Help us to sort radio galaxies.",
            "state": Campaign.State.OPEN,
            "votes_to_retire": 3,
            **fields,
        },
    )
    Question.objects.create(campaign=campaign, version=1, tree=tree or default_tree())
    outliers = sorting.assignments.filter(subject__is_audit=False).order_by("outlier_rank")
    chance = random.Random(seed)
    Item.objects.bulk_create(
        [
            *(
                Item(campaign=campaign, kind="prototype", prototype=shown, order=chance.random())
                for shown in sorting.prototypes.filter(n_members__gt=0)
            ),
            *(
                Item(
                    campaign=campaign,
                    kind="outlier",
                    subject_id=shown.subject_id,
                    order=chance.random(),
                )
                for shown in outliers[:n_outliers]
            ),
            *(
                Item(campaign=campaign, kind="audit", subject=shown, order=chance.random())
                for shown in sorting.survey.subjects.filter(is_audit=True)
            ),
        ]
    )
    return campaign


def make_grid(
    campaign: Campaign,
    *,
    prototype: Prototype | None = None,
    label: str = "frii",
    subjects: Sequence[int] | None = None,
    priority: float | None = None,
    **fields: Any,
) -> Item:
    """Make a grid of a prototype's members, of all that fit in unless subjects are named."""
    prototype = prototype or campaign.sorting.prototypes.order_by("row", "column")[0]
    if subjects is None:
        members = prototype.members.filter(subject__is_audit=False).order_by("distance")
        subjects = list(members.values_list("subject_id", flat=True)[:16])
    item = Item.objects.create(
        campaign=campaign,
        kind=Item.Kind.GRID,
        prototype=prototype,
        label=label,
        priority=priority,
        **{"order": random.Random(next(_numbers)).random(), **fields},
    )
    GridMember.objects.bulk_create(
        GridMember(item=item, subject_id=subject, place=place)
        for place, subject in enumerate(subjects, start=1)
    )
    return item


def make_single(
    campaign: Campaign, kind: str, subject: Subject | None = None, **fields: Any
) -> Item:
    """Make an item of one subject: "subject", "gold" (give it a label), "outlier" or "audit"."""
    if subject is None:
        shown = campaign.items.filter(subject__isnull=False).values("subject")
        free = campaign.sorting.survey.subjects.filter(is_audit=False)
        subject = free.exclude(pk__in=shown)[0]
    return Item.objects.create(
        campaign=campaign,
        kind=kind,
        subject=subject,
        **{"order": random.Random(next(_numbers)).random(), **fields},
    )


def make_vote(
    item: Item | None = None,
    *,
    volunteer: Volunteer | None = None,
    answer: str = "compact",
    **fields: Any,
) -> Vote:
    """Make a vote that counts, and count it (the item is not retired by it)."""
    item = item or make_campaign().items.all()[0]
    vote = Vote.objects.create(
        item=item,
        volunteer=volunteer or make_volunteer(),
        answer=answer,
        **{
            "question": item.campaign.questions.all()[0],
            "client_uuid": uuid.uuid4(),
            "path": [answer],
            "seconds": 4.0,
            "answered_at": timezone.now(),
            **fields,
        },
    )
    if vote.superseded_at is None:
        item.n_votes += 1
        item.save(update_fields=["n_votes"])
    return vote


def make_votes(campaign: Campaign, *, n_volunteers: int = 3, seed: int = 0) -> list[Vote]:
    """Let each of n_volunteers answer every item; four of five answers are the item's own class."""
    chance = random.Random(seed)
    question = campaign.questions.all()[0]
    items = list(campaign.items.order_by("id"))
    votes = []
    for volunteer in [make_volunteer() for _ in range(n_volunteers)]:
        for number, item in enumerate(items):
            own = CLASSES[number % len(CLASSES)]
            answer = own if chance.random() < 0.8 else chance.choice(CLASSES)
            votes.append(
                Vote(
                    item=item,
                    volunteer=volunteer,
                    question=question,
                    client_uuid=uuid.UUID(int=chance.getrandbits(128)),
                    answer=answer,
                    path=[answer],
                    seconds=chance.uniform(1, 9),
                    answered_at=timezone.now(),
                )
            )
    made = Vote.objects.bulk_create(votes)
    for item in items:
        item.n_votes += n_volunteers
    Item.objects.bulk_update(items, ["n_votes"])
    return made


def probabilities(label: str, certainty: float = 0.9) -> list[float]:
    """Give the label this probability and share the rest evenly."""
    rest = (1 - certainty) / (len(CLASSES) - 1)
    return [certainty if key == label else rest for key in CLASSES]


def entropy_bits(values: Sequence[float]) -> float:
    return float(-sum(value * np.log2(value) for value in values if value > 0))


def make_consensus_run(campaign: Campaign | None = None, **fields: Any) -> ConsensusRun:
    """Make a run with a posterior for every item, subject and volunteer of the campaign."""
    campaign = campaign or make_campaign()
    votes = Vote.objects.filter(item__campaign=campaign, superseded_at=None)
    volunteers = Volunteer.objects.filter(votes__in=votes).distinct()
    last = votes.order_by("-id").first()
    run = ConsensusRun.objects.create(
        campaign=campaign,
        **{
            "question": campaign.questions.all()[0],
            "model": "dawid-skene-1",
            "classes": CLASSES,
            "n_votes": votes.count(),
            "n_volunteers": volunteers.count(),
            "last_vote_id": last.pk if last else 0,
            "seconds_of_volunteers": sum(votes.values_list("seconds", flat=True)),
            "log_likelihood": -12.5,
            "n_iterations": 7,
            "has_converged": True,
            "code_version": "test",
            "finished_at": timezone.now(),
            **fields,
        },
    )
    _make_item_posteriors(run)
    _make_subject_posteriors(run)
    VolunteerPosterior.objects.bulk_create(
        VolunteerPosterior(
            run=run,
            volunteer=volunteer,
            n_votes=votes.filter(volunteer=volunteer).count(),
            agreement=0.8,
            confusion={"prototype": np.eye(len(CLASSES)).tolist()},
        )
        for volunteer in volunteers
    )
    return run


def _make_item_posteriors(run: ConsensusRun) -> None:
    posteriors = []
    for number, item in enumerate(run.campaign.items.order_by("id")):
        label = CLASSES[number % len(CLASSES)]
        values = probabilities(label)
        posteriors.append(
            ItemPosterior(
                run=run,
                item=item,
                label=label,
                probabilities={**dict(zip(CLASSES, values, strict=True)), "mixed": 0.0},
                entropy_bits=entropy_bits(values),
                n_votes=item.n_votes,
            )
        )
    ItemPosterior.objects.bulk_create(posteriors)


def _make_subject_posteriors(run: ConsensusRun) -> None:
    label_of_prototype = dict(
        run.items.filter(item__kind="prototype").values_list("item__prototype_id", "label")
    )
    posteriors = []
    for assignment in run.campaign.sorting.assignments.order_by("id"):
        label = label_of_prototype.get(assignment.prototype_id, CLASSES[0])
        certainty = round(1 - 0.5 * assignment.distance, 3)
        values = probabilities(label, certainty)
        posteriors.append(
            SubjectPosterior(
                run=run,
                subject_id=assignment.subject_id,
                label=label,
                probability=certainty,
                probabilities=values,
                entropy_bits=entropy_bits(values),
                weight_prototype=0.9,
                weight_direct=0.0,
                weight_prior=0.1,
                n_votes_prototype=3,
                n_votes_direct=0,
            )
        )
    SubjectPosterior.objects.bulk_create(posteriors)


def make_review(
    subject: Subject, *, campaign: Campaign, reviewer: User, label: str = "bent", **fields: Any
) -> Review:
    return Review.objects.create(
        subject=subject, campaign=campaign, reviewer=reviewer, label=label, **fields
    )


def make_release(run: ConsensusRun | None = None, **fields: Any) -> Release:
    """Make a frozen release with an entry for every subject, but without its files."""
    run = run or make_consensus_run()
    release = Release.objects.create(
        campaign=run.campaign,
        run=run,
        **{
            "version": run.campaign.releases.count() + 1,
            "n_rows": run.subjects.count(),
            "provenance": {"survey": run.campaign.sorting.survey.slug, "n_votes": run.n_votes},
            "figures": {"votes_per_row": 1.5},
            "frozen_at": timezone.now(),
            **fields,
        },
    )
    assignments = {
        assignment.subject_id: assignment
        for assignment in run.campaign.sorting.assignments.select_related("prototype")
    }
    Entry.objects.bulk_create(
        _entry(release, posterior, assignments[posterior.subject_id])
        for posterior in run.subjects.select_related("subject").order_by("subject_id")
    )
    return release


def _entry(release: Release, posterior: SubjectPosterior, assignment: Assignment) -> Entry:
    subject = posterior.subject
    return Entry(
        release=release,
        subject=subject,
        identifier=subject.identifier,
        ra_deg=subject.ra_deg,
        dec_deg=subject.dec_deg,
        healpix=subject.healpix,
        label=posterior.label,
        probability=posterior.probability,
        probabilities=posterior.probabilities,
        entropy_bits=posterior.entropy_bits,
        source=Entry.Source.PROTOTYPE,
        weight_prototype=posterior.weight_prototype,
        weight_direct=posterior.weight_direct,
        weight_prior=posterior.weight_prior,
        n_votes_prototype=posterior.n_votes_prototype,
        n_votes_direct=posterior.n_votes_direct,
        prototype_row=assignment.prototype.row,
        prototype_column=assignment.prototype.column,
        distance=assignment.distance,
        angle_rad=assignment.angle_rad,
        is_flipped=assignment.is_flipped,
        outlier_rank=assignment.outlier_rank,
        outlier_score=assignment.outlier_score,
        is_audit=subject.is_audit,
    )


def make_job(**fields: Any) -> Job:
    return Job.objects.create(
        **{"task": "protozoo.jobs.tasks.nothing", "title": "Import of a survey", **fields}
    )
