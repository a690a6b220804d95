"""`skysort simulate` tries a whole campaign and says what it cost."""

import csv
import gzip
import io
import json
import re
import zipfile

import h5py
import numpy as np
import pytest

from skysort.cli import main
from skysort.commands import cost_study
from skysort.images.shards import ShardWriter

N = 48
SMALL = ("--grid", "2x2", "--epochs", "2", "--volunteers", "12", "--budgets", "0.5", "--seeds", "1")
TWICE = ("--budgets", "0.5,1", "--seeds", "1,2")
FIGURES = ("accuracy", "macro_f1", "rarest_recall", "brier", "calibration_error", "coverage")


def make_images(n=N, size=12, seed=4):
    """Every third is a pair of blobs, the others are single, at random angles, and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2.0
    truth = (np.arange(n) % 3 == 0).astype(int)
    angle = rng.uniform(0, 2 * np.pi, n)
    reach = np.where(truth == 1, size / 4, 0.0)
    at = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)[:, :, None, None]
    images = np.exp(-((x - at[:, 0]) ** 2 + (y - at[:, 1]) ** 2) / 3.0)
    images += np.exp(-((x + at[:, 0]) ** 2 + (y + at[:, 1]) ** 2) / 3.0)
    images += rng.normal(0.0, 0.02, images.shape)
    return images.astype(np.float32), np.where(truth == 1, "double", "single")


@pytest.fixture
def survey(tmp_path):
    """A cube and a table of labels."""
    images, labels = make_images()
    np.save(tmp_path / "images.npy", images)
    write_labels(tmp_path, labels)
    return tmp_path


def write_labels(folder, labels):
    (folder / "labels.csv").write_text("\n".join(["label", *labels]) + "\n")


def simulate(folder, *more, images="images.npy", labels="labels.csv"):
    paths = [str(folder / images), str(folder / labels), "-o", str(folder / "out.json")]
    return main(["simulate", *paths, *SMALL, *more])


def results(folder):
    report = json.loads((folder / "out.json").read_text())
    return report, {(r["method"], r["budget"]): r for r in report["results"]}


def test_it_prints_a_table_for_each_budget_and_writes_results_and_plot(survey, capsys):
    assert simulate(survey, *TWICE) == 0
    printed = capsys.readouterr()
    report, found = results(survey)
    tables = printed.out.split("\n\n")
    assert [table.splitlines()[0] for table in tables[:2]] == [
        "Budget of 0.5 votes per subject",
        "Budget of 1 votes per subject",
    ]
    methods = [line.split("  ")[0] for line in tables[0].splitlines()[2:-1]]
    assert methods == ["ours", "human-only adaptive", "copied prototype labels", "majority of 5"]
    ours = found["ours", 1.0]
    asked = sum(seed["questions"]["subject"] for seed in ours["seeds"]) / 2
    assert re.search(rf"^ours asked about: .*subject {asked:.0f}\b", tables[1], re.MULTILINE)
    assert f" {ours['mean']['accuracy']:.3f} " in tables[1].splitlines()[2]
    assert "The rarest class is double; mean ± standard deviation over the seeds." in tables[2]
    assert printed.out.endswith(f"{survey}/out.json, {survey}/out.svg\n")
    assert "in the order of the images: double 16, single 32" in printed.err
    assert "48 images of 12 x 12 pixels; recipe sqrt-1" in printed.err
    assert re.search(r"12 volunteers; Gini coefficient of their effort: 0\.\d\d, 0", printed.err)
    assert "no majority of 20: there are 12 volunteers" in printed.err
    assert re.search(r"\d+ of 96 votes, [\d,]+ a second", printed.err)
    assert (survey / "out.svg").read_text().count("<svg") == 1
    assert report["crowd"]["by_seed"][1]["seed"] == 2


def test_the_results_hold_every_seed_and_what_was_asked(survey):
    assert simulate(survey, *TWICE) == 0
    report, found = results(survey)
    assert len(found) == 3 * 2 + 1
    for (method, budget), entry in found.items():
        by_seed = entry["seeds"]
        assert [seed["seed"] for seed in by_seed] == [1, 2]
        for figure in FIGURES:
            values = [seed[figure] for seed in by_seed]
            assert entry["mean"][figure] == pytest.approx(np.mean(values))
            assert entry["spread"][figure] == pytest.approx(np.std(values, ddof=1))
        for seed in by_seed:
            assert sum(seed["questions"].values()) == seed["n_votes"]
            if method in ("ours", "human-only adaptive"):
                assert seed["n_votes"] == round(budget * N)
    assert {seed["n_votes"] for seed in found["majority of 5", None]["seeds"]} == {5 * N}
    assert report["labels"]["classes"] == {"double": 16, "single": 32}
    assert report["labels"]["rarest"] == "double"
    assert 0.3 < report["crowd"]["by_seed"][0]["gini_of_effort"] < 1.0
    assert report["versions"]["model"].startswith("dawid-skene")
    assert report["map"] == {"grid": [2, 2], "epochs": 2, "seed": 1}


def test_shapes_that_differ_are_learnt_from_few_votes(survey):
    assert simulate(survey, "--skill", "0.9", "--spammers", "0", "--budgets", "1") == 0
    _, found = results(survey)
    assert found["ours", 1.0]["mean"]["accuracy"] > 0.9
    assert found["ours", 1.0]["spread"]["accuracy"] is None  # of one seed


def test_equal_seeds_give_equal_results(survey):
    one, again, other = (
        (simulate(survey, "--force", *more), (survey / "out.json").read_bytes())
        for more in ((), (), ("--seeds", "3"))
    )
    assert one == again != other


def test_the_rows_of_an_index_may_come_in_any_order(survey, capsys):
    assert simulate(survey) == 0
    before = results(survey)[0]["results"]
    _, labels = make_images()
    order = np.random.default_rng(1).permutation(N)
    rows = [f"{labels[k]},{k}" for k in order]
    content = "\n".join(["Morphology,index", *rows]) + "\n"
    with gzip.open(survey / "labels.csv.gz", "wt") as file:
        file.write(content.replace("Morphology", "class"))
    assert simulate(survey, "--force", labels="labels.csv.gz") == 0
    assert "column class, paired by index: double 16, single 32" in capsys.readouterr().err
    assert results(survey)[0]["results"] == before


@pytest.mark.parametrize("header", ["name,kind", "index,kind"])
def test_without_a_usual_name_the_last_column_is_the_class(survey, capsys, header):
    _, labels = make_images()
    rows = [f"image-{k},{label}" for k, label in enumerate(labels)]
    (survey / "labels.csv").write_text("\n".join([header, *rows]))
    assert simulate(survey) == 0
    assert "column kind, in the order of the images: double 16" in capsys.readouterr().err


def test_classes_may_be_named_like_other_answers(survey):
    _, labels = make_images()
    write_labels(survey, np.where(labels == "single", "mixed", "unsure"))
    assert simulate(survey) == 0
    report, found = results(survey)
    assert list(report["labels"]["classes"]) == ["mixed", "unsure"]
    assert found["ours", 0.5]["mean"]["accuracy"] > 0.7


def test_a_class_may_have_one_member(survey):
    _, labels = make_images()
    write_labels(survey, ["odd", *labels[1:]])
    assert simulate(survey) == 0
    assert results(survey)[0]["labels"]["rarest"] == "odd"


def test_large_images_are_cut_to_their_sources_and_averaged_down(survey, capsys):
    images, _ = make_images()
    large = np.zeros((N, 2, 90, 90), np.float32)
    large[:, :, 27:63, 27:63] = images.repeat(3, axis=1).repeat(3, axis=2)[:, None]
    np.save(survey / "images.npy", large)
    assert simulate(survey, "--size", "12") == 0
    field = results(survey)[0]["images"]["field_of_view"]
    assert 18 <= field["width"] <= 48
    assert field["size"] <= 12
    told = capsys.readouterr().err
    assert f"of 90 x 90 pixels, of which the middle {field['width']} x {field['width']}" in told
    assert f"averaged down by {field['factor']} to {field['size']} x {field['size']}" in told


def test_a_folder_of_shards_will_do(survey):
    images, _ = make_images()
    about = {"survey": "none", "licence": "CC0-1.0"}
    with ShardWriter(survey / "shards", image_shape=(1, 12, 12), about=about) as writer:
        writer.append(images[:, None])
    assert simulate(survey, images="shards") == 0


def test_the_plot_may_be_a_png(survey):
    assert simulate(survey, "--plot", str(survey / "costs.png")) == 0
    assert (survey / "costs.png").read_bytes().startswith(b"\x89PNG")
    assert not (survey / "out.svg").exists()


def test_budgets_that_the_crowd_cannot_give_end_early(survey, capsys):
    assert simulate(survey, "--volunteers", "2", "--budgets", "1,50") == 0
    told = capsys.readouterr().err
    said = "seed 1, human-only adaptive: ended at 2 of 50 votes per subject; nobody sees anything"
    assert said in told
    report, found = results(survey)
    assert found["human-only adaptive", 50.0]["mean"]["votes_per_subject"] == 2.0
    assert any(line.startswith("seed 1, ours: ended") for line in report["ended_early"])


def test_files_are_not_replaced_unasked(survey, capsys):
    (survey / "out.svg").write_text("mine")
    assert simulate(survey) == 1
    assert f"{survey / 'out.svg'} exists; name another file, or replace it with --force" in (
        capsys.readouterr().err
    )
    assert not (survey / "out.json").exists()


def test_ctrl_c_leaves_no_half_files(survey, monkeypatch, capsys):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cost_study, "ask_singly", interrupt)
    assert simulate(survey) == 130
    assert "stopped; no file was left half written" in capsys.readouterr().err
    assert not (survey / "out.json").exists()
    assert not (survey / "out.svg").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("label\nsingle\ndouble\n", "has 2 rows below its header for 48 images"),
        ("label\n" + "single\n" * N, "calls all images single; two classes are needed"),
        ("label,ra\nsingle,1\n,2\n", "labels.csv, line 3, has no label"),
        (
            "index,label\n0,single\n48,double\n",
            "line 3, has the index 48; there are images 0 to 47",
        ),
        ("index,label\n0,single\nx,double\n", "line 3, has the index x; there are images 0 to 47"),
        ("index,label\n0,single\n0,double\n", "line 3, labels image 0 again after line 2"),
        ("index,label\n0,single\n1,double\n", "has no label of image 2; all 48 need one"),
        ("index\n0\n", "must have a column label in its first line"),
        ("", "must have a column label in its first line"),
        ("label\n", "has no labels: expected rows below the header"),
        ('label\n"single\n', "line 2, is no CSV"),
    ],
)
def test_wrong_labels_are_named_with_their_line(survey, capsys, content, said):
    (survey / "labels.csv").write_text(content)
    assert simulate(survey) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"skysort: {survey / 'labels.csv'}")
    assert said in error
    assert not (survey / "out.json").exists()


def test_an_id_for_a_class_is_refused(survey, capsys):
    write_labels(survey, [f"J{k:04d}" for k in range(N)])
    assert simulate(survey, "--volunteers", "100000") == 1
    assert "has 48 different labels in its column label, too many" in capsys.readouterr().err


def test_a_blank_image_is_named(survey, capsys):
    images, _ = make_images()
    images[7] = np.nan
    np.save(survey / "images.npy", images)
    assert simulate(survey) == 1
    assert "images.npy: image 7 is blank, it has no pixel that is a number" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--grid", "9x9"], "a map of 81 prototypes needs at least as many images, got 48"),
        (["--skill", "1"], "skill must lie between 0 and 1, got 1.0"),
        (["--recipe", "cube-1"], "recipe must be one of"),
        (["--device", "toaster"], "--device toaster cannot be used here"),
        (["--plot", "costs.pdf"], "--plot must end in .svg or .png, got costs.pdf"),
    ],
)
def test_expected_failures_end_with_1_and_a_sentence(survey, capsys, more, said):
    assert simulate(survey, *more) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (survey / "out.json").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--budgets", "0.1,,1"], "must be a number above 0, got"),
        (["--budgets", "0"], "must be a number above 0, got 0"),
        (["--seeds", "1,x"], "must be a whole number, 0 or more, got x"),
        (["--spammers", "1.5"], "must be a number from 0 to 1, got 1.5"),
    ],
)
def test_wrong_usage_ends_with_2(survey, capsys, more, said):
    with pytest.raises(SystemExit) as stopped:
        simulate(survey, *more)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.realdata
def test_radio_galaxies_are_classified_with_few_votes(tmp_path, real_data):
    folder = real_data / "first_rgd_2158"
    with (folder / "labels.csv").open(newline="") as file:
        names = [row["index"] for row in csv.DictReader(file)]
    with zipfile.ZipFile(folder / "galaxy_data_h5.zip") as archive:
        content = io.BytesIO(archive.read("galaxy_data_h5.h5"))
    with h5py.File(content) as file:
        images = np.stack([file[name]["Img"][()] for name in names])
    np.save(tmp_path / "first.npy", images)
    more = ("--budgets", "0.3,1", "--seeds", "1", "-o", str(tmp_path / "out.json"))
    paths = (str(tmp_path / "first.npy"), str(folder / "labels.csv"))
    assert main(["simulate", *paths, *more, "--epochs", "10"]) == 0
    _, found = results(tmp_path)
    for budget, floor, most_error in ((0.3, 0.74, 0.08), (1.0, 0.88, 0.04)):
        ours, alone = (found[m, budget]["mean"] for m in ("ours", "human-only adaptive"))
        assert ours["accuracy"] >= floor
        assert ours["accuracy"] > alone["accuracy"]
        assert ours["calibration_error"] <= most_error
