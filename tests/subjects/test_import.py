"""Importing brings in what is good, names what is bad, and changes nothing the second time."""

import json
from io import StringIO

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from django.core.management import CommandError, call_command
from PIL import Image

from protozoo.jobs.models import Job
from protozoo.jobs.services import job_run
from protozoo.subjects import services
from protozoo.subjects.exceptions import (
    ImportBusyError,
    ImportRequestError,
    ImportStorageError,
)
from protozoo.subjects.models import Subject
from protozoo.subjects.services import SurveyAbout, SurveyFiles, survey_import
from protozoo.surveys.models import ImportProblem, Survey
from skysort.images.shards import ShardReader

pytestmark = pytest.mark.django_db

SMALL = SurveyAbout(image_size=16)


def images_of(n, *, seed=0, size=16):
    return np.random.default_rng(seed).normal(size=(n, size, size)).astype(np.float32)


def write_table(path, n, **columns):
    rows = {
        "id": [f"J{i:04d}" for i in range(n)],
        "ra": np.linspace(10, 20, n),
        "dec": np.linspace(-5, 5, n),
        "flux": np.linspace(1, 2, n),
    }
    Table(rows | columns).write(path, overwrite=True)
    return str(path)


def write_mosaic(path, *, center=(150.0, 2.0), size=200, seed=1):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = center
    wcs.wcs.crpix = [size / 2 + 0.5] * 2
    wcs.wcs.cdelt = [-5 / 3600, 5 / 3600]
    sky = np.random.default_rng(seed).normal(scale=0.1, size=(size, size)).astype(np.float32)
    x, y = np.arange(30, size, 45), np.arange(30, size, 45)
    grid_x, grid_y = (axis.ravel() for axis in np.meshgrid(x, y))
    rows, columns = np.mgrid[:size, :size]
    for at_x, at_y in zip(grid_x, grid_y, strict=True):
        sky += 10 * np.exp(-((columns - at_x) ** 2 + (rows - at_y) ** 2) / 8)
    fits.PrimaryHDU(sky, wcs.to_header()).writeto(path, overwrite=True)
    return wcs.pixel_to_world_values(grid_x, grid_y)


@pytest.fixture
def cube(tmp_path):
    np.save(tmp_path / "cube.npy", images_of(30))
    return SurveyFiles(
        images=str(tmp_path / "cube.npy"), table=write_table(tmp_path / "rows.csv", 30)
    )


def test_a_cube_and_its_table_become_subjects_and_shards(cube):
    run = survey_import(slug="cube", files=cube, about=SMALL)
    assert (run.n_rows, run.n_imported, run.n_rejected) == (30, 30, 0)
    survey = Survey.objects.get(slug="cube")
    reader = ShardReader(survey.shard_folder)
    reader.verify()
    for subject in survey.subjects.all():
        number = int(subject.identifier[1:])
        pixels = reader.read(np.array([[subject.shard, subject.row]]))[0, 0]
        np.testing.assert_array_equal(pixels, images_of(30)[number])
        assert subject.columns == {"flux": pytest.approx(1 + number / 29)}


def test_importing_again_changes_nothing(cube):
    survey_import(slug="cube", files=cube, about=SMALL)
    folder = Survey.objects.get().shard_folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rows = list(Subject.objects.order_by("pk").values())
    run = survey_import(slug="cube", files=cube)
    assert (run.n_imported, run.n_unchanged) == (0, 30)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list(Subject.objects.order_by("pk").values()) == rows


def test_new_rows_are_added_to_what_is_there(tmp_path, cube):
    survey_import(slug="cube", files=cube, about=SMALL)
    np.save(tmp_path / "cube.npy", images_of(40))
    write_table(tmp_path / "rows.csv", 40)
    run = survey_import(slug="cube", files=cube)
    assert (run.n_imported, run.n_unchanged) == (10, 30)
    assert ShardReader(Survey.objects.get().shard_folder).n_images == 40


def test_a_killed_import_goes_on_and_leaves_no_orphan(cube, monkeypatch):
    monkeypatch.setattr(services, "BATCH_SIZE", 10)

    class Killed(BaseException):
        pass

    def killed_after_pixels(rows):
        raise Killed

    with monkeypatch.context() as patch:
        made = Subject.objects.bulk_create
        calls = iter([made, killed_after_pixels])
        patch.setattr(Subject.objects, "bulk_create", lambda rows: next(calls)(rows))
        with pytest.raises(Killed):
            survey_import(slug="cube", files=cube, about=SMALL)
    assert Subject.objects.count() == 10

    run = survey_import(slug="cube", files=cube)
    assert (run.n_imported, run.n_unchanged) == (20, 10)
    reader = ShardReader(Survey.objects.get().shard_folder)
    reader.verify()
    assert reader.n_images == 30
    last = Subject.objects.get(identifier="J0029")
    np.testing.assert_array_equal(
        reader.read(np.array([[last.shard, last.row]]))[0, 0], images_of(30)[29]
    )


def test_bad_rows_are_named_and_the_rest_goes_on(tmp_path):
    pixels = images_of(8)
    pixels[2] = np.nan
    np.save(tmp_path / "cube.npy", pixels)
    write_table(
        tmp_path / "rows.ecsv",
        8,
        id=["a", "b", "c", "a", "e", "f", "", "h"],
        dec=[0, 91, 0, 0, np.nan, 0, 0, 0],
    )
    files = SurveyFiles(images=str(tmp_path / "cube.npy"), table=str(tmp_path / "rows.ecsv"))
    run = survey_import(slug="bad", files=files, about=SMALL)
    said = {problem.row_number: problem.reason for problem in run.problems.all()}
    assert said == {
        2: "The declination 91.0 lies outside -90 to 90 degrees.",
        3: "Every pixel of the image is blank.",
        4: "The id a stands in an earlier row already.",
        5: "The row has no usable position.",
        7: "The row has no id.",
    }
    assert set(Subject.objects.values_list("identifier", flat=True)) == {"a", "f", "h"}


def test_a_folder_pairs_files_by_name_and_reports_the_unreadable(tmp_path):
    folder = tmp_path / "cutouts"
    folder.mkdir()
    for i in range(3):
        fits.PrimaryHDU(images_of(1, seed=i)[0]).writeto(folder / f"J{i:04d}.fits")
    (folder / "J0003.fits").write_bytes((folder / "J0000.fits").read_bytes()[:3000])
    Image.fromarray(np.full((16, 16), 7, dtype=np.uint8)).save(folder / "J0004.png")
    files = SurveyFiles(images=str(folder), table=write_table(tmp_path / "rows.csv", 6))
    run = survey_import(slug="folder", files=files, about=SMALL)
    assert run.n_imported == 4
    problems = {problem.row_number: problem.reason for problem in run.problems.all()}
    assert set(problems) == {4, 6}
    assert "J0003.fits" in problems[4]
    assert problems[6] == "There is no image for this row in cutouts."


def test_hdf5_groups_pair_by_name(tmp_path):
    with h5py.File(tmp_path / "images.h5", "w") as file:
        for i in range(12):
            file[f"J{i:04d}/Img"] = images_of(1, seed=i)[0]
    files = SurveyFiles(
        images=str(tmp_path / "images.h5"), table=write_table(tmp_path / "rows.fits", 12)
    )
    assert survey_import(slug="hdf5", files=files, about=SMALL).n_imported == 12


def test_sources_are_cut_from_mosaics_around_their_positions(tmp_path):
    ra, dec = write_mosaic(tmp_path / "field.fits")
    n = len(ra)
    table = write_table(
        tmp_path / "rows.csv",
        n + 1,
        ra=[*ra, 10.0],
        dec=[*dec, -40.0],
    )
    (tmp_path / "broken.fits").write_bytes((tmp_path / "field.fits").read_bytes()[:4000])
    files = SurveyFiles(mosaics=str(tmp_path / "*.fits"), table=table)
    run = survey_import(slug="fields", files=files, about=SMALL)
    assert run.n_imported == n
    assert Survey.objects.get().pixel_scale_arcsec == pytest.approx(5.0, rel=1e-4)
    reasons = {problem.row_number: problem.reason for problem in run.problems.all()}
    assert reasons[n + 1] == "The position lies outside every mosaic."
    assert "broken.fits" in reasons[None]
    reader = ShardReader(Survey.objects.get().shard_folder)
    for pixels in reader.read_numbers(range(n))[:, 0]:
        brightest = np.unravel_index(np.nanargmax(pixels), pixels.shape)
        assert max(abs(place - 7.5) for place in brightest) <= 1


def test_sources_are_found_once_in_overlapping_mosaics(tmp_path):
    ra, _ = write_mosaic(tmp_path / "a.fits")
    write_mosaic(tmp_path / "b.fits", seed=2)
    files = SurveyFiles(mosaics=str(tmp_path / "*.fits"))
    run = survey_import(slug="found", files=files, about=SMALL)
    assert run.n_imported == len(ra)
    subject = Subject.objects.first()
    assert subject.columns["snr"] > 5
    assert survey_import(slug="found", files=files).n_imported == 0


def test_the_audit_sample_is_random_but_the_same_in_one_go_or_two(tmp_path):
    np.save(tmp_path / "cube.npy", images_of(2000, size=8))
    files = SurveyFiles(
        images=str(tmp_path / "cube.npy"), table=write_table(tmp_path / "rows.csv", 2000)
    )
    about = SurveyAbout(image_size=8)
    survey_import(slug="one", files=files, about=about)
    drawn = set(Subject.objects.filter(is_audit=True).values_list("identifier", flat=True))
    assert 20 <= len(drawn) <= 62  # 40 expected, more than three standard deviations each way
    survey = Survey.objects.get()
    assert drawn == {f"J{i:04d}" for i in range(2000) if services.is_audit(survey, f"J{i:04d}")}


@pytest.mark.parametrize(
    ("files", "about", "message"),
    [
        (SurveyFiles(), None, "Name either images with their table, or mosaics."),
        (SurveyFiles(images="x", mosaics="y"), None, "Name either images"),
        (SurveyFiles(images="x"), None, "Images need a table"),
        (SurveyFiles(mosaics="/none/*.fits"), None, "No file matches the mosaics"),
        (SurveyFiles(images="/none.npy", table="/none.csv"), None, "/none.csv"),
        (SurveyFiles(), SurveyAbout(recipe="magic"), "magic"),
        (SurveyFiles(), SurveyAbout(image_size=4), "8 to 1024 pixels"),
        (SurveyFiles(), SurveyAbout(audit_fraction=2), "between 0 and 1"),
        (SurveyFiles(), SurveyAbout(pixel_scale_arcsec=-1), "positive number of arcsec, got -1"),
        (SurveyFiles(), SurveyAbout(pixel_scale_arcsec=np.nan), "positive number of arcsec"),
        (SurveyFiles(), SurveyAbout(title="T" * 201), "title has 201 characters; it may have 200"),
    ],
)
def test_a_request_that_cannot_work_is_refused_with_a_sentence(files, about, message):
    with pytest.raises(ImportRequestError, match=message.replace("*", r"\*")):
        survey_import(slug="refused", files=files, about=about)
    assert not Survey.objects.exists()


def test_rows_and_images_that_cannot_be_paired_are_refused(tmp_path, cube):
    write_table(tmp_path / "rows.csv", 29)
    with pytest.raises(ImportRequestError, match="29 rows and 30 images"):
        survey_import(slug="cube", files=cube, about=SMALL)


def test_the_size_of_cutouts_never_changes(cube):
    survey_import(slug="cube", files=cube, about=SMALL)
    with pytest.raises(ImportRequestError, match="have 16 pixels a side"):
        survey_import(slug="cube", files=cube, about=SurveyAbout(image_size=32))


def test_two_imports_at_once_into_one_survey_are_refused(cube):
    survey_import(slug="cube", files=cube, about=SMALL)
    with (
        services._only_writer(Survey.objects.get()),
        pytest.raises(ImportBusyError, match="Another import"),
    ):
        survey_import(slug="cube", files=cube)


def test_the_command_says_what_happened(tmp_path, cube):
    out = StringIO()
    call_command("survey_import", "cube", images=cube.images, table=cube.table, size=16, stdout=out)
    assert "30 rows read: 30 imported, 0 unchanged, 0 rejected." in out.getvalue()
    with pytest.raises(CommandError, match="small letters"):
        call_command("survey_import", "Not A Slug", images=cube.images, table=cube.table)


def test_a_job_imports_in_the_background(cube, django_capture_on_commit_callbacks, monkeypatch):
    monkeypatch.setattr("protozoo.jobs.services.job_wake", lambda job_id: True)
    call_command(
        "survey_import",
        "cube",
        images=cube.images,
        table=cube.table,
        size=16,
        queue=True,
        stdout=StringIO(),
    )
    job = Job.objects.get()
    assert json.dumps(job.arguments)
    done = job_run(job_id=job.pk)
    assert done.error == ""
    assert done.state == "done"
    assert done.result["imported"] == 30
    assert ImportProblem.objects.count() == 0


def test_the_texts_that_are_accepted_are_those_that_the_database_holds():
    fields = {field.name: field for field in Survey._meta.fields}
    texts = {name: field.max_length for name, field in fields.items() if field.max_length}
    assert texts == {**services.LONGEST, "recipe": 40}


def test_the_first_image_decides_on_the_channels_of_all(tmp_path):
    folder = tmp_path / "cutouts"
    folder.mkdir()
    for i, channels in enumerate([1, 3, 1]):
        fits.PrimaryHDU(images_of(channels, seed=i)).writeto(folder / f"J{i:04d}.fits")
    files = SurveyFiles(images=str(folder), table=write_table(tmp_path / "rows.csv", 3))
    run = survey_import(slug="mixed", files=files, about=SMALL)
    assert (run.n_imported, run.n_rejected) == (2, 1)
    assert run.problems.get().reason == "The image has 3 channels, the survey 1."


def test_ids_that_look_like_numbers_do_not_shift_the_images_of_a_cube(tmp_path):
    np.save(tmp_path / "cube.npy", images_of(5))
    ids = [str(number) for number in range(1, 6)]
    files = SurveyFiles(
        images=str(tmp_path / "cube.npy"), table=write_table(tmp_path / "rows.csv", 5, id=ids)
    )
    assert survey_import(slug="counted", files=files, about=SMALL).n_imported == 5
    pixels = ShardReader(Survey.objects.get().shard_folder).read_numbers(np.arange(5))
    np.testing.assert_array_equal(pixels[:, 0], images_of(5))


def test_running_numbers_as_ids_name_the_images_of_a_cube(tmp_path):
    np.save(tmp_path / "cube.npy", images_of(3))
    files = SurveyFiles(
        images=str(tmp_path / "cube.npy"),
        table=write_table(tmp_path / "rows.csv", 3, id=["2", "0", "1"]),
    )
    survey_import(slug="numbered", files=files, about=SMALL)
    pixels = ShardReader(Survey.objects.get().shard_folder).read_numbers(np.arange(3))
    np.testing.assert_array_equal(pixels[:, 0], images_of(3)[[2, 0, 1]])


def test_what_is_imported_is_not_read_again(cube, monkeypatch):
    survey_import(slug="cube", files=cube, about=SMALL)
    monkeypatch.setattr("protozoo.subjects.candidates._read", lambda *_: pytest.fail("read again"))
    assert survey_import(slug="cube", files=cube).n_unchanged == 30


def test_an_id_with_control_characters_is_refused(tmp_path):
    np.save(tmp_path / "cube.npy", images_of(2))
    (tmp_path / "rows.csv").write_text("id,ra,dec\na\x1b[31m,1,1\nb,2,2\n")
    files = SurveyFiles(images=str(tmp_path / "cube.npy"), table=str(tmp_path / "rows.csv"))
    run = survey_import(slug="control", files=files, about=SMALL)
    assert run.problems.get().reason == r"The id 'a\x1b[31m' holds control characters."


def test_the_size_may_still_be_chosen_while_nothing_is_imported(tmp_path, cube):
    np.save(tmp_path / "blank.npy", np.full((30, 16, 16), np.nan, dtype=np.float32))
    blank = SurveyFiles(images=str(tmp_path / "blank.npy"), table=cube.table)
    assert survey_import(slug="cube", files=blank).n_imported == 0
    assert survey_import(slug="cube", files=cube, about=SMALL).n_imported == 30


def test_a_lost_shard_stops_the_import_with_a_sentence(tmp_path, cube):
    survey_import(slug="cube", files=cube, about=SMALL)
    (Survey.objects.get().shard_folder / "shard-00000.fits").unlink()
    np.save(tmp_path / "cube.npy", images_of(31))
    write_table(tmp_path / "rows.csv", 31)
    with pytest.raises(ImportStorageError, match=r"shard-00000\.fits is missing\. Put the folder"):
        survey_import(slug="cube", files=cube)
    assert Subject.objects.count() == 30


def test_a_full_disk_loses_nothing(cube, monkeypatch):
    monkeypatch.setattr(services, "BATCH_SIZE", 10)
    append, calls = services.ShardWriter.append, iter([True, False])

    def full_at_second(writer, pixels):
        if next(calls):
            return append(writer, pixels)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(services.ShardWriter, "append", full_at_second)
        with pytest.raises(ImportStorageError, match=r"No space left on device\. What is imported"):
            survey_import(slug="cube", files=cube, about=SMALL)
    run = survey_import(slug="cube", files=cube)
    assert (run.n_imported, run.n_unchanged) == (20, 10)
    ShardReader(Survey.objects.get().shard_folder).verify()


def test_the_command_fails_if_not_one_row_is_good(tmp_path):
    np.save(tmp_path / "cube.npy", np.full((3, 16, 16), np.nan, dtype=np.float32))
    table = write_table(tmp_path / "rows.csv", 3)
    out = StringIO()
    with pytest.raises(CommandError, match="Not one row"):
        call_command(
            "survey_import", "blank", images=str(tmp_path / "cube.npy"), table=table, stdout=out
        )
    assert "row 2 J0001: Every pixel of the image is blank." in out.getvalue()


def test_a_survey_may_have_no_audit_sample(cube):
    survey_import(slug="cube", files=cube, about=SurveyAbout(image_size=16, audit_fraction=0.0))
    assert Survey.objects.get().audit_fraction == 0.0
    assert not Subject.objects.filter(is_audit=True).exists()


def test_a_manifest_of_zooniverse_brings_a_survey(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a", "b", "c"):
        Image.fromarray(np.full((16, 16), 7, dtype=np.uint8)).save(folder / f"{name}.png")
    table = tmp_path / "manifest.csv"
    table.write_text(
        "#truth,Image One,image two,!RA,!DEC,subject_id\n"
        "cat,a.png,c.png,10,1,501\ndog,sub/b.png,c.png,11,2,502\ncow,d.png,c.png,12,3,503\n"
    )
    run = survey_import(
        slug="zoo", files=SurveyFiles(images=str(folder), table=str(table)), about=SMALL
    )
    assert (run.n_imported, run.n_rejected) == (2, 1)
    first, second = run.survey.subjects.order_by("pk")
    assert (first.identifier, first.ra_deg, first.origin) == ("501", 10.0, "images: a")
    assert first.columns == {"truth": "cat", "Image One": "a.png", "image two": "c.png"}
    assert second.origin == "images: b"
    assert run.problems.get().identifier == "503"
