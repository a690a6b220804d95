"""Progress is told at a pace that people can read."""

from io import StringIO

import pytest

from skysort.commands.progress import ProgressLine, duration


class Terminal(StringIO):
    def isatty(self):
        return True


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def run(stream, steps):
    clock = Clock()
    progress = ProgressLine(stream, clock=clock)
    for seconds, done in steps:
        clock.now = 100.0 + seconds
        progress(done, 1000)
    progress.end()
    return stream.getvalue()


def test_a_log_gets_a_line_now_and_then():
    lines = run(StringIO(), [(1, 100), (2, 200), (11, 500), (12, 600), (13, 1000)]).splitlines()
    assert lines == [
        "500 of 1,000 images, 40 a second, 12 s left",
        "1,000 of 1,000 images, 75 a second",
    ]


def test_what_is_counted_may_be_something_else():
    stream = StringIO()
    ProgressLine(stream, clock=Clock(), unit="votes")(7, 7)
    assert stream.getvalue() == "7 of 7 votes\n"


def test_a_terminal_gets_one_line_that_is_overwritten_and_cleared():
    text = run(Terminal(), [(1, 100), (1.1, 110), (2, 200)])
    assert "\n" not in text
    assert "110 of" not in text
    assert "\r200 of 1,000 images, 100 a second, 8 s left" in text
    assert text.endswith(" \r")


def test_the_rate_does_not_count_what_was_done_before_a_resumption():
    text = run(StringIO(), [(0, 900), (10, 950)])
    assert text == "950 of 1,000 images, 5 a second, 10 s left\n"


def test_a_message_stands_on_a_line_of_its_own():
    stream, clock = Terminal(), Clock()
    progress = ProgressLine(stream, clock=clock)
    clock.now += 1
    progress(10, 1000)
    progress.say("epoch 1 of 2")
    assert stream.getvalue().endswith("\repoch 1 of 2\n")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_times_are_said_in_words(seconds, said):
    assert duration(seconds) == said
