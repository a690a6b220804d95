"""Finds the subjects of a survey that Zooniverse classifications speak of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from protozoo.surveys.models import Survey
from protozoo.voting.proposals import chunks
from skysort.zooniverse.classifications import Classification
from skysort.zooniverse.subjects import metadata_value, names_of_file

# Columns of a table that may hold the id that Zooniverse gave to a subject.
ID_COLUMNS: Final = ("subject_id", "zooniverse_id")
# Metadata that may name a subject as its survey does, in order of preference.
MATCH_NAMES: Final = (
    "identifier", "filename", "file", "file_name", "image", "image_name", "image1", "image_1",
    "name", "id",
)  # fmt: skip
READ_SIZE: Final = 2000


@dataclass(frozen=True)
class KnownSubject:
    """A subject of the survey."""

    pk: int
    identifier: str
    is_audit: bool


class SubjectMatcher:
    """Matches subjects by their id at Zooniverse, by their metadata, or by one column alone.

    Values are compared with the survey's identifiers and, if the survey's table had the column,
    with its values; file names also without folder and suffix.
    """

    def __init__(self, survey: Survey, *, column: str = "") -> None:
        self._survey = survey
        self._column = column
        self._found: dict[str, KnownSubject | None] = {}
        self._by_column = self._index()

    @property
    def n_asked(self) -> int:
        return len(self._found)

    @property
    def n_found(self) -> int:
        return sum(1 for subject in self._found.values() if subject is not None)

    def learn(self, classifications: Iterable[Classification]) -> None:
        """Look up all subjects of some classifications at once."""
        names = {
            subject: self._names(subject, each.subject_data.get(subject, {}))
            for each in classifications
            for subject in each.subject_ids
            if subject not in self._found
        }
        known = self._by_identifier({name for one in names.values() for name in one})
        for subject, candidates in names.items():
            in_column = candidates if self._column else [subject]
            matches = [
                *(self._by_column.get(name) for name in in_column),
                *(known.get(name) for name in candidates),
            ]
            self._found[subject] = next((match for match in matches if match), None)

    def of(self, subject_id: str) -> KnownSubject | None:
        """Give the survey's subject of an id that was learnt."""
        return self._found[subject_id]

    def _names(self, subject: str, metadata: dict[str, Any]) -> list[str]:
        """Give what the subject may be called in the survey, the surest first."""
        if self._column:
            return names_of_file(metadata_value(metadata, self._column))
        values = (metadata_value(metadata, name) for name in MATCH_NAMES)
        return [subject, *(name for value in values if value for name in names_of_file(value))]

    def _by_identifier(self, names: set[str]) -> dict[str, KnownSubject]:
        found = {}
        for chunk in chunks(sorted(names)):
            subjects = self._survey.subjects.filter(identifier__in=chunk)
            for row in subjects.values_list("pk", "identifier", "is_audit"):
                found[row[1]] = KnownSubject(*row)
        return found

    def _index(self) -> dict[str, KnownSubject]:
        """Read the column of the survey's table that the subjects are matched by, if it has it."""
        first = self._survey.subjects.values_list("columns", flat=True).first() or {}
        wanted = (self._column,) if self._column else ID_COLUMNS
        column = next((name for name in wanted if metadata_value(first, name)), None)
        if column is None:
            return {}
        found: dict[str, KnownSubject] = {}
        for subject, columns in self._all():
            for name in names_of_file(metadata_value(columns, column)):
                found.setdefault(name, subject)
        found.pop("", None)
        return found

    def _all(self) -> Iterator[tuple[KnownSubject, dict[str, Any]]]:
        rows = self._survey.subjects.values_list("pk", "identifier", "is_audit", "columns")
        for row in rows.iterator(chunk_size=READ_SIZE):
            yield KnownSubject(*row[:3]), row[3]
