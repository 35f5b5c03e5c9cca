"""Which language a text is in."""

import langdetect.detector_factory
import pytest

from uppertail.checks.language import LANGUAGES, is_in, language_of

TEXTS = {
    "en": "The quick brown fox jumps over the lazy dog and runs into the forest.",
    "de": "Der schnelle braune Fuchs springt über den faulen Hund und läuft in den Wald.",
    "hi": "मैं आज सुबह बाज़ार गया और वहाँ से ताज़ी सब्ज़ियाँ खरीदकर लाया।",
    "sw": "Habari za asubuhi, leo ninakwenda sokoni kununua matunda na mboga za familia yangu.",
    "ar": "ذهبت إلى السوق هذا الصباح واشتريت الخضروات الطازجة للعائلة.",
}


@pytest.mark.parametrize(("code", "text"), TEXTS.items(), ids=TEXTS)
def test_a_plain_text_is_recognised(code: str, text: str) -> None:
    assert language_of(text) == code
    assert is_in(text, code)


def test_a_text_without_letters_has_no_language_and_contradicts_none() -> None:
    assert language_of("12 + 34") is None
    assert is_in("12 + 34", "de")


def test_the_answer_for_an_unclear_text_is_always_the_same() -> None:
    assert len({language_of("ok ja no si") for _ in range(20)}) == 1


def test_nobody_elses_detector_is_seeded() -> None:
    language_of(TEXTS["en"])
    assert langdetect.detector_factory.DetectorFactory.seed is None


def test_every_language_that_the_detector_knows_has_a_name() -> None:
    profiles = langdetect.detector_factory.DetectorFactory()
    profiles.load_profile(langdetect.detector_factory.PROFILES_DIRECTORY)
    assert set(profiles.get_lang_list()) | {"zh"} == set(LANGUAGES)
