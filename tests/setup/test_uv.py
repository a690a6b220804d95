"""uv, when it is there, hears what pip was told; when it fails, pip takes over."""

import pytest

import bootstrap

LISTING = """\
global.cert='/etc/ssl/certs/house.pem'
global.extra-index-url='https://one.example/simple https://two.example/simple'
global.find-links='/srv/wheels'
global.index-url='https://pypi.example/simple'
install.index-url='https://install.example/simple'
download.index-url='https://download.example/simple'
:env:.find-links='\\n/opt/wheels\\n/opt/more'
:env:.disable-pip-version-check='1'
"""


def test_pip_settings_are_merged_with_the_environment_last():
    assert bootstrap.read_pip_settings(LISTING) == {
        "cert": "/etc/ssl/certs/house.pem",
        "extra-index-url": "https://one.example/simple https://two.example/simple",
        "find-links": "\n/opt/wheels\n/opt/more",
        "index-url": "https://install.example/simple",
        "disable-pip-version-check": "1",
    }


def test_uv_is_told_the_same_places():
    assert bootstrap.uv_environment(bootstrap.read_pip_settings(LISTING)) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/opt/wheels,/opt/more",
        "SSL_CERT_FILE": "/etc/ssl/certs/house.pem",
    }


def test_uv_is_told_nothing_where_pip_was_told_nothing():
    assert bootstrap.uv_environment({}) == {"UV_INDEX_STRATEGY": "unsafe-best-match"}


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """Note which programs were asked to install, without installing."""
    asked: list[str] = []
    monkeypatch.setattr(bootstrap, "drop_half_installed", lambda: None)
    monkeypatch.setattr(bootstrap, "ask", lambda *command: "uv 0.13.9")
    monkeypatch.setattr(
        bootstrap, "run", lambda name, command, hint, env=None: asked.append(command)
    )
    return asked


def test_uv_installs_when_it_is_there(calls, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/uv")
    bootstrap.install_packages()
    assert [command[:3] for command in calls] == [["/usr/bin/uv", "pip", "install"]]
    assert "-c" in calls[0]


def test_pip_installs_when_there_is_no_uv(calls, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    bootstrap.install_packages()
    assert [command[1:4] for command in calls] == [["-m", "pip", "install"]]
    assert "-c" in calls[0]


def test_pip_takes_over_when_uv_fails(calls, tmp_path, monkeypatch):
    log = tmp_path / "packages.log"
    log.write_text("no such index\n")

    def run(name, command, hint, env=None):
        calls.append(command)
        if command[0] == "/usr/bin/uv":
            raise bootstrap.CommandError(command, 2, log, hint)

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/uv")
    bootstrap.install_packages()
    assert [command[1] for command in calls] == ["pip", "-m"]
