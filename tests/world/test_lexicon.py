from __future__ import annotations

from itertools import permutations

import pytest

from uppertail.world.lexicon import (
    OPPOSITES,
    PHRASES,
    QUALITIES,
    SENTENCES,
    STYLE_PHRASES,
    STYLES,
    TRIVIA,
    VAGUE,
    question,
)

FEATURES = (*QUALITIES, *TRIVIA, *STYLES)


def test_no_name_is_part_of_another():
    names = [feature.name for feature in FEATURES]
    assert not [(a, b) for a, b in permutations(names, 2) if a in b]


def test_no_sentence_carries_a_mark_by_chance():
    bare = " ".join((*SENTENCES, *VAGUE))
    assert not [feature for feature in FEATURES if feature.mark in bare]


def test_each_sentence_makes_its_feature_present_and_no_other():
    for sentence in SENTENCES:
        text = sentence.format("compost map")
        assert [f.name for f in FEATURES if f.in_text(text)] == ["compost map"]


@pytest.mark.parametrize("form", PHRASES)
def test_a_phrase_asks_for_the_presence_of_what_it_names(form):
    asked = question(form.format("compost map"))
    assert [feature.name for feature in asked.features] == ["compost map"]
    assert asked.holds("We drew a compost map.")
    assert not asked.holds("We drew a frost map.")


@pytest.mark.parametrize("form", OPPOSITES)
def test_an_opposite_asks_for_the_absence_of_what_it_names(form):
    asked = question(form.format("compost map"))
    assert asked.absent
    assert not asked.holds("We drew a compost map.")
    assert asked.holds("We drew a frost map.")


@pytest.mark.parametrize("form", STYLE_PHRASES)
def test_a_style_is_found_by_its_mark(form):
    asked = question(form.format("section headings"))
    assert asked.holds("## Weeks\n\nDig.")
    assert not asked.holds("section headings")


def test_a_criterion_of_a_user_is_read_whatever_its_words_and_case():
    asked = question("The reply must give BOTH a Frost Calendar and a shade rota.")
    assert asked.holds("Draw up the frost calendar and the shade rota.")
    assert not asked.holds("Draw up the frost calendar.")


@pytest.mark.parametrize("criterion", ["Is kind.", "Is not unkind."])
def test_a_criterion_about_nothing_of_this_world_never_holds(criterion):
    assert not question(criterion).holds("compost map")
