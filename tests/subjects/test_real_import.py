"""Real surveys come in whole."""

import zipfile

import pytest

from protozoo.subjects.models import Subject
from protozoo.subjects.services import SurveyAbout, SurveyFiles, survey_import

pytestmark = [pytest.mark.django_db, pytest.mark.realdata]


def test_the_first_images_pair_with_their_table(real_data, tmp_path):
    source = real_data / "first_rgd_2158"
    with zipfile.ZipFile(source / "galaxy_data_h5.zip") as archive:
        archive.extractall(tmp_path)
    images = next(tmp_path.rglob("*.h5"))
    files = SurveyFiles(images=str(images), table=str(source / "labels.csv"), id_column="index")
    run = survey_import(slug="first", files=files, about=SurveyAbout(image_size=64))
    assert (run.n_imported, run.n_rejected) == (2158, 0)
    assert set(Subject.objects.first().columns) == {"label", "catalogue", "split"}


def test_the_nvss_fields_give_their_sources(real_data):
    files = SurveyFiles(mosaics=str(real_data / "nvss_fields_24" / "*.fits.fz"))
    run = survey_import(slug="nvss", files=files, about=SurveyAbout(image_size=64))
    assert run.n_rejected == 0
    assert 250 <= run.n_imported <= 600  # about 16 in each of 24 fields
    assert Subject.objects.values("origin").distinct().count() == 24
