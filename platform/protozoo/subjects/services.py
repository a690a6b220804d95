"""Brings survey files in: pixels into shards, rows into the database.

The database is the truth. Pixels of a batch are written first, then its rows; on the next import
the shards are cut back to what the database knows, so a killed import leaves nothing behind.
"""

import fcntl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from unicodedata import category

import numpy as np
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from protozoo.jobs.services import Report, silent
from protozoo.sky.positions import healpix_of
from protozoo.subjects import candidates
from protozoo.subjects.candidates import Candidate, Candidates
from protozoo.subjects.exceptions import (
    ImportBusyError,
    ImportRequestError,
    ImportStorageError,
)
from protozoo.subjects.models import Subject
from protozoo.surveys.models import ImportProblem, ImportRun, Survey
from skysort.errors import InputError
from skysort.images.recipes import get_recipe
from skysort.images.shards import ShardReader, ShardWriter

# Rows that are written at once: enough for speed, few enough to lose little when killed.
BATCH_SIZE: Final = 512
MAX_IDENTIFIER: Final = 200
# Characters that the columns of a survey hold.
LONGEST: Final = {"slug": 60, "title": 200, "licence": 200, "credit": 300}


@dataclass(frozen=True)
class SurveyFiles:
    """Where the pixels and rows of a survey lie; either images with a table, or mosaics."""

    images: str = ""
    mosaics: str = ""
    table: str = ""
    id_column: str = ""
    n_sigma: float = 5.0


@dataclass(frozen=True)
class SurveyAbout:
    """What is to be known of a survey; empty values leave what is already there."""

    title: str = ""
    description: str = ""
    licence: str = ""
    citation: str = ""
    credit: str = ""
    recipe: str = ""
    image_size: int = 0
    pixel_scale_arcsec: float = 0.0
    audit_fraction: float | None = None  # 0 is a wish, too: no audit sample

    def known(self) -> dict[str, Any]:
        """Give what was said, by field."""
        said = {name: value for name, value in asdict(self).items() if value}
        if self.audit_fraction is not None:
            said["audit_fraction"] = self.audit_fraction
        return said


def survey_import(
    *, slug: str, files: SurveyFiles, about: SurveyAbout | None = None, report: Report = silent
) -> ImportRun:
    """Import all rows that are not there yet; bad rows are noted and the rest goes on."""
    about = about or SurveyAbout()
    _check_about(slug, about)
    # Files first: a request that cannot begin leaves no empty survey behind.
    found = _candidates(files, _image_size(slug, about), report)
    survey = _survey_describe(slug, about)
    with _only_writer(survey), _storage_errors(survey):
        if found.pixel_scale_arcsec and survey.pixel_scale_arcsec is None:
            survey.pixel_scale_arcsec = found.pixel_scale_arcsec
            survey.save(update_fields=["pixel_scale_arcsec"])
        run = ImportRun.objects.create(survey=survey, source=asdict(files))
        _import_all(survey, run, found, report)
        run.finished_at = timezone.now()
        run.save()
    return run


def _survey_describe(slug: str, about: SurveyAbout) -> Survey:
    """Make a survey, or complete what is known of it."""
    known = about.known()
    survey, created = Survey.objects.get_or_create(slug=slug, defaults={"title": slug, **known})
    if created:
        return survey
    for name, value in known.items():
        setattr(survey, name, value)
    survey.save()
    return survey


def _image_size(slug: str, about: SurveyAbout) -> int:
    """Find the side of the survey's cutouts; it never changes once there are some."""
    survey = Survey.objects.filter(slug=slug).first()
    known = Survey().image_size if survey is None else survey.image_size
    wanted = about.image_size or known
    if survey is not None and wanted != known and survey.subjects.exists():
        raise ImportRequestError(
            f"The cutouts of survey {slug} have {known} pixels a side and cannot be changed to"
            f" {wanted}; import under another name."
        )
    return wanted


def _check_about(slug: str, about: SurveyAbout) -> None:
    if slug != slugify(slug) or not slug:
        raise ImportRequestError(
            f"A survey's name is made of small letters, digits and '-', got {slug!r}."
        )
    _check_lengths(slug, about)
    if about.recipe:
        try:
            get_recipe(about.recipe)
        except InputError as error:
            raise ImportRequestError(str(error)) from error
    if about.image_size and not 8 <= about.image_size <= 1024:
        raise ImportRequestError(f"A cutout has 8 to 1024 pixels a side, got {about.image_size}.")
    if about.audit_fraction is not None and not 0 <= about.audit_fraction <= 1:
        raise ImportRequestError(
            f"The audit fraction lies between 0 and 1, got {about.audit_fraction}."
        )
    if not 0 <= about.pixel_scale_arcsec < np.inf:
        raise ImportRequestError(
            f"The pixel scale is a positive number of arcsec, got {about.pixel_scale_arcsec}."
        )


def _check_lengths(slug: str, about: SurveyAbout) -> None:
    """Hold texts to what the database keeps; SQLite alone would not mind."""
    for name, text in {"slug": slug, **asdict(about)}.items():
        if name in LONGEST and len(text) > LONGEST[name]:
            raise ImportRequestError(
                f"The survey's {name} has {len(text)} characters; it may have {LONGEST[name]}."
            )


def _candidates(files: SurveyFiles, size: int, report: Report) -> Candidates:
    table = Path(files.table) if files.table else None
    try:
        if files.images and not files.mosaics:
            if table is None:
                raise ImportRequestError("Images need a table with their ids and positions.")
            return candidates.from_images(
                Path(files.images), table, size=size, id_column=files.id_column or None
            )
        if files.mosaics and not files.images:
            if table is None:
                return candidates.from_detection(
                    files.mosaics, size=size, n_sigma=files.n_sigma, report=report
                )
            return candidates.from_mosaics(
                files.mosaics,
                table,
                size=size,
                id_column=files.id_column or None,
                report=report,
            )
    except InputError as error:
        raise ImportRequestError(str(error)) from error
    raise ImportRequestError("Name either images with their table, or mosaics.")


def _import_all(survey: Survey, run: ImportRun, found: Candidates, report: Report) -> None:
    with _writers(survey) as open_writer:
        seen: set[str] = set()
        for batch in _batches(found.stream):
            fresh = _sift(survey, run, batch, seen)
            if fresh:
                _store(survey, run, open_writer, fresh)
            run.n_rows += len(batch)
            run.save()
            report(run.n_rows, max(run.n_rows, found.total), f"{run.n_imported} imported")


def _batches(stream: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    batch: list[Candidate] = []
    for candidate in stream:
        batch.append(candidate)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


@contextmanager
def _only_writer(survey: Survey) -> Iterator[None]:
    """Keep a second import out of the survey's shards; the lock dies with the process."""
    survey.shard_folder.mkdir(parents=True, exist_ok=True)
    with (survey.shard_folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ImportBusyError(
                f"Another import is writing into survey {survey.slug}; try again when it is done."
            ) from error
        yield


@contextmanager
def _storage_errors(survey: Survey) -> Iterator[None]:
    """Say what is wrong with the survey's folder: damaged shards, a full disk."""
    try:
        yield
    except InputError as error:
        raise ImportStorageError(
            f"{error}. Put the folder back from a copy, or import under another name."
        ) from error
    except OSError as error:
        raise ImportStorageError(
            f"The pixels of survey {survey.slug} cannot be written to {survey.shard_folder}:"
            f" {error.strerror or error}. What is imported stays; import again to go on."
        ) from error


@contextmanager
def _writers(survey: Survey) -> Iterator[Callable[[], ShardWriter]]:
    """Give the survey's shard writer, opened when first asked for, closed when all went well."""
    writer: ShardWriter | None = None

    def open_writer() -> ShardWriter:
        nonlocal writer
        if writer is None:
            writer = ShardWriter(
                survey.shard_folder,
                image_shape=survey.image_shape,
                about={
                    "survey": survey.title,
                    "licence": survey.licence,
                    "citation": survey.citation,
                    "recipe": survey.recipe,
                },
                n_keep=survey.subjects.count(),
            )
        return writer

    yield open_writer
    if writer is None and survey.subjects.exists() and not _manifest_is_current(survey):
        open_writer()
    if writer is not None:
        writer.close()


def _manifest_is_current(survey: Survey) -> bool:
    try:
        return ShardReader(survey.shard_folder).n_images == survey.subjects.count()
    except InputError:
        return False


def _sift(
    survey: Survey, run: ImportRun, batch: list[Candidate], seen: set[str]
) -> list[Candidate]:
    """Keep what is new and good; note what is bad."""
    identifiers = [candidate.identifier for candidate in batch]
    known = set(
        survey.subjects.filter(identifier__in=identifiers).values_list("identifier", flat=True)
    )
    fresh: list[Candidate] = []
    problems: list[ImportProblem] = []
    for row in batch:
        reason = row.reason or _fault_of_row(row, seen)
        if not reason and row.identifier in known:
            run.n_unchanged += 1
            seen.add(row.identifier)
            continue
        candidate = row if reason else row.with_pixels()
        reason = reason or candidate.reason
        reason = reason or _fault_of_pixels(survey, candidate, is_first=not fresh)
        if reason:
            problems.append(_problem(run, candidate, reason))
        else:
            fresh.append(candidate)
            seen.add(candidate.identifier)
    ImportProblem.objects.bulk_create(problems)
    run.n_rejected += len(problems)
    return fresh


def _fault_of_row(candidate: Candidate, seen: set[str]) -> str:
    if not candidate.identifier.strip():
        return "The row has no id."
    if len(candidate.identifier) > MAX_IDENTIFIER:
        return f"The id is longer than {MAX_IDENTIFIER} characters."
    if any(category(character) == "Cc" for character in candidate.identifier):
        return f"The id {candidate.identifier!r} holds control characters."
    if candidate.identifier in seen:
        return f"The id {candidate.identifier} stands in an earlier row already."
    if not -90 <= candidate.dec_deg <= 90:
        return f"The declination {candidate.dec_deg} lies outside -90 to 90 degrees."
    return ""


def _fault_of_pixels(survey: Survey, candidate: Candidate, *, is_first: bool) -> str:
    pixels = candidate.pixels
    if pixels is None or not np.isfinite(pixels).any():
        return "Every pixel of the image is blank."
    if pixels.shape[0] == survey.n_channels:
        return ""
    if not is_first or survey.subjects.exists():  # the first image decides
        return f"The image has {pixels.shape[0]} channels, the survey {survey.n_channels}."
    survey.n_channels = pixels.shape[0]
    survey.save(update_fields=["n_channels"])
    return ""


def _problem(run: ImportRun, candidate: Candidate, reason: str) -> ImportProblem:
    return ImportProblem(
        run=run,
        row_number=candidate.row_number,
        identifier=candidate.identifier[:MAX_IDENTIFIER],
        file=candidate.origin[:500],
        reason=reason[:500],
    )


def _store(
    survey: Survey,
    run: ImportRun,
    open_writer: Callable[[], ShardWriter],
    fresh: list[Candidate],
) -> None:
    pixels = np.stack([candidate.pixels for candidate in fresh if candidate.pixels is not None])
    ra_deg = np.array([candidate.ra_deg for candidate in fresh]) % 360.0
    dec_deg = np.array([candidate.dec_deg for candidate in fresh])
    healpix = healpix_of(ra_deg, dec_deg)
    places = open_writer().append(pixels.astype(np.float32, copy=False))
    with transaction.atomic():
        Subject.objects.bulk_create(
            Subject(
                survey=survey,
                identifier=candidate.identifier,
                ra_deg=float(ra_deg[i]),
                dec_deg=float(dec_deg[i]),
                healpix=int(healpix[i]),
                shard=int(places[i, 0]),
                row=int(places[i, 1]),
                origin=candidate.origin[:300],
                columns=candidate.columns,
                is_audit=is_audit(survey, candidate.identifier),
            )
            for i, candidate in enumerate(fresh)
        )
        run.n_imported += len(fresh)


def is_audit(survey: Survey, identifier: str) -> bool:
    """Draw the audit sample: a hash decides, so that an import in two goes draws the same one."""
    digest = sha256(f"{survey.slug}\0{identifier}".encode()).digest()
    return int.from_bytes(digest[:8]) < survey.audit_fraction * 2**64
