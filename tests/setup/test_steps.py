"""A set-up does what has changed, and goes on where an earlier one stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap


@pytest.fixture
def stamps(tmp_path: Path, monkeypatch) -> Path:
    folder = tmp_path / "stamps"
    monkeypatch.setattr(bootstrap, "STAMPS", folder)
    return folder


@pytest.fixture
def venv(tmp_path: Path, monkeypatch) -> Path:
    folder = tmp_path / ".venv"
    (folder / "bin").mkdir(parents=True)
    monkeypatch.setattr(bootstrap, "VENV", folder)
    monkeypatch.setattr(bootstrap, "BIN", folder / "bin")
    monkeypatch.setattr(bootstrap, "PYTHON", folder / "bin" / "python")
    monkeypatch.setattr(bootstrap, "UNFINISHED", folder / "unfinished")
    return folder


def make_step(name: str, done: list[str], *, inputs=("input",), is_there=True) -> bootstrap.Step:
    return bootstrap.Step(
        name, name, "", lambda: inputs, lambda: is_there, lambda: done.append(name)
    )


def test_second_run_does_nothing(stamps):
    done = []
    steps = [make_step("one", done), make_step("two", done)]
    assert bootstrap.run_steps(steps)
    assert not bootstrap.run_steps(steps)
    assert done == ["one", "two"]


def test_step_is_done_again_when_its_inputs_change(stamps):
    done = []
    bootstrap.run_steps([make_step("one", done), make_step("two", done)])
    bootstrap.run_steps([make_step("one", done), make_step("two", done, inputs=("other",))])
    assert done == ["one", "two", "two"]


def test_step_is_done_again_when_its_work_is_gone(stamps):
    done = []
    bootstrap.run_steps([make_step("one", done)])
    bootstrap.run_steps([make_step("one", done, is_there=False)])
    assert done == ["one", "one"]


def test_failed_step_is_not_taken_for_done_when_the_old_inputs_return(stamps):
    def fail():
        raise bootstrap.SetupError("The disk is full.")

    done = []
    step = make_step("one", done)
    bootstrap.run_steps([step])
    with pytest.raises(bootstrap.SetupError, match="The disk is full"):
        bootstrap.run_steps([step._replace(inputs=lambda: ["other"], work=fail)])
    bootstrap.run_steps([step])
    assert done == ["one", "one"]


def test_size_is_announced_before_the_work(stamps, capsys):
    shown_before_work = []
    step = make_step("one", [])._replace(
        download="downloads about 200 MB",
        work=lambda: shown_before_work.append(capsys.readouterr().out),
    )
    bootstrap.run_steps([step])
    assert shown_before_work == ["[1/1] one (downloads about 200 MB)\n"]


def test_fingerprint_follows_content_and_place_of_files(tmp_path):
    def fingerprint() -> str:
        return bootstrap.fingerprint_of([tmp_path])

    (tmp_path / "a.ts").write_text("one")
    first = fingerprint()
    (tmp_path / "a.ts").write_text("two")
    second = fingerprint()
    (tmp_path / "a.ts").rename(tmp_path / "b.ts")
    third = fingerprint()
    (tmp_path / "b.ts").rename(tmp_path / "a.ts")
    (tmp_path / "a.ts").write_text("one")
    assert len({first, second, third}) == 3
    assert fingerprint() == first


def test_fingerprint_keeps_words_apart():
    assert bootstrap.fingerprint_of(["ab", "c"]) != bootstrap.fingerprint_of(["a", "bc"])


def test_environment_left_unfinished_is_not_whole(venv):
    (venv / "bin" / "pip").write_text(f"#!{venv}/bin/python\n")
    (venv / "bin" / "python").symlink_to(sys.executable)
    assert bootstrap.venv_is_whole()
    (venv / "unfinished").touch()
    assert not bootstrap.venv_is_whole()


def test_environment_of_another_folder_is_not_whole(venv):
    (venv / "bin" / "pip").write_text("#!/home/annie/protozoo/.venv/bin/python\n")
    (venv / "bin" / "python").symlink_to(sys.executable)
    assert not bootstrap.venv_is_whole()


def test_environment_whose_python_is_gone_is_not_whole(venv):
    (venv / "bin" / "pip").write_text(f"#!{venv}/bin/python\n")
    (venv / "bin" / "python").symlink_to(venv / "nowhere")
    assert not bootstrap.venv_is_whole()


def test_missing_venv_part_of_python_is_explained(venv, monkeypatch):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(bootstrap.SetupError, match=r"sudo apt install python3\.\d+-venv"):
        bootstrap.make_venv()
    assert (venv / "bin").is_dir()


def test_half_installed_packages_are_dropped(venv):
    site_packages = venv / "lib" / "python3.11" / "site-packages"
    whole, half = site_packages / "whole-1.0.dist-info", site_packages / "half-1.0.dist-info"
    for info in (whole, half, site_packages / "~eft-1.0.dist-info"):
        info.mkdir(parents=True)
        (info / "METADATA").touch()
    (whole / "RECORD").touch()
    bootstrap.drop_half_installed()
    assert [info.name for info in site_packages.iterdir()] == ["whole-1.0.dist-info"]


def test_failing_program_is_shown_with_its_last_lines_and_a_hint(stamps):
    command = [sys.executable, "-c", "for i in range(100): print('line', i)\nraise SystemExit(7)"]
    with pytest.raises(bootstrap.CommandError) as failure:
        bootstrap.run("trial", command, "Ask Williamina.")
    message = str(failure.value)
    assert "ended with code 7" in message
    assert "SystemExit(7)" in message
    assert "line 99\nAsk Williamina." in message
    assert "line 74\n" not in message
    assert (stamps / "trial.log").read_text().count("\n") == 102


def test_silent_program_gives_a_sign_of_life(stamps, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "HEARTBEAT_S", 0.05)
    # The program ends when it is told to, which is after the first sign of life.
    go_on = stamps.parent / "go-on"
    monkeypatch.setattr(bootstrap, "print", _print_and_touch(go_on), raising=False)
    waiting = f"import os, time\nwhile not os.path.exists({str(go_on)!r}): time.sleep(0.01)"
    bootstrap.run("trial", [sys.executable, "-c", waiting], "")
    assert "... at work for" in capsys.readouterr().out


def _print_and_touch(path: Path):
    def show(*words, **options):
        print(*words, **options)
        path.touch()

    return show


def test_interrupted_set_up_stops_its_programs_and_says_how_to_go_on(tmp_path):
    waiting = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    script = (
        "import sys, bootstrap\n"
        f"bootstrap.STAMPS = bootstrap.Path({str(tmp_path)!r})\n"
        "step = bootstrap.Step('one', 'one', '', lambda: ['x'], lambda: True, lambda: "
        f"bootstrap.run('one', [sys.executable, '-c', {waiting!r}], ''))\n"
        "bootstrap.steps = lambda: [step]\n"
        "bootstrap.one_at_a_time = bootstrap.suppress\n"
        "sys.exit(bootstrap.main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=bootstrap.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "[1/1] one\n"
    program = int(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The same command takes the set-up up again" in error
    assert not (tmp_path / "one").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(program, 0)
