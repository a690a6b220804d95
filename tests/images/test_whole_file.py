"""A file is written whole or not at all."""

import pytest

from skysort.images.whole_file import write_whole


def test_the_name_is_taken_at_the_end(tmp_path):
    path = tmp_path / "map.bin"
    with write_whole(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"


def test_an_error_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    folder = tmp_path / "maps"
    folder.mkdir()
    path = folder / "map.bin"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), write_whole(path) as file:
        file.writelines([b"new", "no bytes"])
    assert path.read_bytes() == b"old"
    assert list(folder.iterdir()) == [path]


def test_a_missing_folder_is_an_error(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="nowhere"),
        write_whole(tmp_path / "nowhere" / "map.bin"),
    ):
        pass
