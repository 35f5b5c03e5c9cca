"""The figures are drawn from the theory and from the published series."""

import re
from xml.etree import ElementTree as ET

import pytest

from uppertail.evaluate.tail.figures import drawings, figure_2a, figure_2b, page_of, svg_of
from uppertail.evaluate.tail.plots import Axis, even_ticks

ALL = drawings()


@pytest.mark.parametrize("drawing", ALL, ids=lambda d: d.name)
def test_every_drawing_is_a_whole_svg_file_with_its_legend(drawing):
    root = ET.fromstring(svg_of(drawing))
    words = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {line.name for line in drawing.lines} <= set(words)
    for line in drawing.lines:
        assert all(drawing.y.low <= y <= drawing.y.high for _, y in line.points)


def test_figure_2a_ends_where_the_theory_says():
    ends = {line.name: line.points[-1][1] for line in figure_2a().lines}
    assert ends["top 25 % wrong"] == pytest.approx(0.7501, abs=5e-5)
    assert ends["reversed"] == pytest.approx(0.0001, abs=5e-5)


def test_figure_2b_is_ordered_by_the_top_that_is_right():
    ends = [line.points[40][1] for line in figure_2b().lines]
    assert ends == sorted(ends)


def test_figure_4_has_the_published_values():
    health = ALL[2].lines
    assert health[3].name == "4 Great"
    assert max(y for _, y in health[3].points) == 33.92


def test_the_page_holds_every_figure_and_no_address():
    html = page_of(ALL)
    assert html.count("<svg") == 6
    assert not re.search(r"https?://", html)


@pytest.mark.parametrize(("high", "last"), [(8, 8), (0.39, 0.35), (37, 35), (0.5, 0.5)])
def test_ticks_are_round_and_inside(high, last):
    ticks = even_ticks(0, high)
    assert ticks[0] == 0
    assert ticks[-1] <= high
    assert 4 <= len(ticks) <= 9


def test_values_outside_an_axis_are_drawn_at_its_end():
    axis = Axis(label="", low=0, high=2, ticks=())
    assert (axis.share(-1), axis.share(1), axis.share(9)) == (0, 0.5, 1)
