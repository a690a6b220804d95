"""A set-up takes the build of torch that suits the machine, from the nearest place."""

import urllib.error

import pytest

import bootstrap


@pytest.mark.parametrize(
    ("system", "has_nvidia", "wish", "build"),
    [
        ("linux", False, "", "cpu"),
        ("linux", True, "", "cuda"),
        ("linux", True, "cpu", "cpu"),
        ("linux", False, "cuda", "cuda"),
        ("darwin", False, "", "macos"),
        ("darwin", False, "cpu", "macos"),
    ],
)
def test_build_follows_the_machine_and_the_wish(system, has_nvidia, wish, build):
    assert bootstrap.torch_build(system=system, has_nvidia=has_nvidia, wish=wish) == build


def test_wrong_wish_is_refused():
    with pytest.raises(bootstrap.SetupError, match="PROTOZOO_TORCH must be 'cpu' or 'cuda'"):
        bootstrap.torch_build(system="linux", has_nvidia=False, wish="rocm")


def test_every_build_tells_its_size():
    assert "200 MB" in bootstrap.TORCH_BUILDS["cpu"].download
    assert "3 GB" in bootstrap.TORCH_BUILDS["cuda"].download
    assert "MB" in bootstrap.TORCH_BUILDS["macos"].download


def test_cpu_build_is_looked_for_near_first_and_the_big_one_is_the_last_resort():
    near, pytorch, ordinary = bootstrap.torch_sources("2.13.0", "cpu")
    assert near.arguments == ("--no-deps", "torch==2.13.0+cpu")
    assert pytorch.arguments[:3] == ("--no-deps", "--index-url", bootstrap.PYTORCH_CPU_INDEX)
    assert ordinary.arguments[-1] == "torch==2.13.0"
    assert "3 GB" in ordinary.words


def test_cuda_build_is_not_taken_for_a_cpu_wheel_of_the_same_version():
    first, *_ = bootstrap.torch_sources("2.13.0", "cuda")
    assert first.arguments[-1] == "torch===2.13.0"


@pytest.mark.parametrize(
    ("installed", "build", "suits"),
    [
        (None, "cpu", False),
        ("2.13.0+cpu", "cpu", True),
        ("2.13.0", "cpu", True),
        ("2.12.1+cpu", "cpu", False),
        ("2.13.0+cpu", "cuda", False),
        ("2.13.0", "cuda", True),
        ("2.13.0+cu130", "cuda", True),
        ("2.13.0", "macos", True),
    ],
)
def test_installed_torch_suits(installed, build, suits):
    assert bootstrap.torch_suits(installed, "2.13.0", build) is suits


@pytest.fixture
def tries(tmp_path, monkeypatch) -> list[str]:
    """Let every installation fail, and note what was tried."""
    tried: list[str] = []

    def fail(name, command, hint):
        tried.append(command[-1])
        raise bootstrap.CommandError(command, 1, log, hint)

    log = tmp_path / "torch.log"
    log.write_text("ERROR: No matching distribution found for torch\n")
    monkeypatch.setattr(bootstrap, "installed_torch", lambda: None)
    monkeypatch.setattr(bootstrap, "drop_half_installed", lambda: None)
    monkeypatch.setattr(bootstrap, "run", fail)
    return tried


def test_unreachable_index_is_passed_over_and_the_size_told(tries, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "is_reachable", lambda address: False)
    with pytest.raises(bootstrap.SetupError, match="No matching distribution"):
        bootstrap.install_torch("2.13.0", "cpu")
    assert tries == ["torch==2.13.0+cpu", "torch==2.13.0"]
    assert "about 3 GB" in capsys.readouterr().out


def test_reachable_index_is_asked(tries, monkeypatch):
    monkeypatch.setattr(bootstrap, "is_reachable", lambda address: True)
    with pytest.raises(bootstrap.SetupError, match="No matching distribution"):
        bootstrap.install_torch("2.13.0", "cpu")
    assert tries == ["torch==2.13.0+cpu", "torch==2.13.0+cpu", "torch==2.13.0"]


def test_full_disk_does_not_end_in_the_larger_download(tries, tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "is_reachable", lambda address: True)
    (tmp_path / "torch.log").write_text("ERROR: No space left on device\n")
    with pytest.raises(bootstrap.SetupError, match="No space left"):
        bootstrap.install_torch("2.13.0", "cpu")
    assert tries == ["torch==2.13.0+cpu"]


@pytest.mark.parametrize(
    ("error", "reachable"),
    [
        (urllib.error.HTTPError("https://x", 403, "Forbidden", {}, None), True),
        (urllib.error.URLError("CERTIFICATE_VERIFY_FAILED"), True),
        (urllib.error.URLError("Name or service not known"), False),
        (TimeoutError("timed out"), False),
    ],
)
def test_server_that_answers_anything_is_reachable(error, reachable, monkeypatch):
    def answer(request, timeout):
        assert timeout <= 10
        raise error

    monkeypatch.setattr(bootstrap.urllib.request, "urlopen", answer)
    assert bootstrap.is_reachable("https://download.example/torch/") is reachable
