import pytest

from uppertail.report import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.0123, "1.2 %"),
        (0.456, "46 %"),
        (0.9951, "99.5 %"),
        (0.99951, ">99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_reads_as_all_or_nothing_only_where_it_is(value, text):
    assert figures.percent(value).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (1.0, "1"),
        (24 / 27, "0.889"),
        (0.99999, "0.999"),
        (0.0001, "0.001"),
    ],
)
def test_a_score_reads_as_0_or_1_only_where_it_is(value, text):
    assert figures.score_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.4231, "0.42 s"), (42.4, "42 s"), (600.0, "10 min"), (5220.0, "1 h 27 min")],
)
def test_durations_use_the_unit_that_fits(value, text):
    assert figures.seconds(value) == text


def test_other_numbers():
    assert figures.count(1234567) == "1\u202f234\u202f567"
    assert (figures.points(-0.121), figures.points(0.05)) == ("−12", "+5")
    assert (figures.usd(None), figures.usd(0.0), figures.usd(0.0012)) == ("–", "$0.00", "$0.0012")
    assert figures.usd(1234.5) == "$1,234.50"
    assert (figures.weight(2.0), figures.weight(-1.5)) == ("2", "−1.5")
    assert (figures.decimal(None), figures.decimal(2.345, 2)) == ("–", "2.35")
