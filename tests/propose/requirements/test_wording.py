"""Words to use, to avoid and to repeat; letters to count."""

import pytest

from uppertail.checks import Excludes, Includes, Letters, Repeats
from uppertail.propose.requirements.table import read_checks


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("Include the keywords 'atlantis' and 'constable'.", ("atlantis", "constable")),
        ("Use the words trust, brand, and law in it.", ("trust", "brand", "law")),
        ("Include the following keywords: sun, new moon, stars", ("sun", "new moon", "stars")),
        ("Use these words in your story: dragon, castle.", ("dragon", "castle")),
        ('The word "Netflix" must appear.', ("Netflix",)),
        ("Make sure the words “a” and “b” both appear.", ("a", "b")),
        ("Mention the keyword freedom.", ("freedom",)),
        ('Include "well worth it" in the review.', ("well worth it",)),
        ("Use the word war, please.", ("war",)),
        ("Include words fish and chips.", ("fish", "chips")),
        ("Keywords: oak, elm", ("oak", "elm")),
        ("Words to include: oak, elm, and make it short", ("oak", "elm")),
        ("Include the words 'oak', 'elm', 'oak'.", ("oak", "elm")),
    ],
)
def test_words_to_use_are_read(prompt, words):
    assert read_checks(prompt) == (Includes(words=words),)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ('Do not use "heute".', ("heute",)),
        ("Avoid the words red, green and blue.", ("red", "green", "blue")),
        ("Answer without saying the word computer or science.", ("computer", "science")),
        ("Do not mention the word Taylor, Swift, or Together.", ("Taylor", "Swift", "Together")),
        ("Please don't include the following keywords: Vary, Old Town", ("Vary", "Old Town")),
        ("The words 'x' and 'y' should not appear.", ("x", "y")),
        ("The word dog is forbidden.", ("dog",)),
        ("Words to avoid: oak, elm", ("oak", "elm")),
        ("None of the words 'oak' or 'elm' is used.", ("oak", "elm")),
        ('Never say "I am an AI".', ("I am an AI",)),
        ('Avoid "very".', ("very",)),
        ("Write of dogs and cats. Do not mention dogs and cats.", ("dogs", "cats")),
        ("Exclude the following terms:\n- 'foo'\n- 'bar'", ("foo", "bar")),
    ],
)
def test_words_to_avoid_are_read(prompt, words):
    assert read_checks(prompt) == (Excludes(words=words),)


@pytest.mark.parametrize(
    ("prompt", "check"),
    [
        ("Use the word dog twice.", Repeats(word="dog", at_least=2)),
        ("Use the word dog at least 8 times.", Repeats(word="dog", at_least=8)),
        ("The word dog should appear less than 3 times.", Repeats(word="dog", at_most=2)),
        (
            "The word dog must appear exactly three times.",
            Repeats(word="dog", at_least=3, at_most=3),
        ),
        ("Use the word 'the' once or less.", Repeats(word="the", at_most=1)),
        ("I want the word dog to be used at least once.", Repeats(word="dog", at_least=1)),
        ("Do not use the word dog 3 times or more.", Repeats(word="dog", at_most=2)),
        ('Mention "Paris" at least 2 times.', Repeats(word="Paris", at_least=2)),
        ("At least 3 times, use the word dog.", Repeats(word="dog", at_least=3)),
        ("The letter n appears at least four times.", Letters(letter="n", at_least=4)),
        ("Use the letter 'z' less than 3 times.", Letters(letter="z", at_most=2)),
        ("Do not use the letter e.", Letters(letter="e", at_most=0)),
        ("Include the letter q.", Letters(letter="q", at_least=1)),
        ("Include at least 5 exclamation marks.", Letters(letter="!", at_least=5)),
    ],
)
def test_counts_of_words_and_letters_are_read(prompt, check):
    assert read_checks(prompt) == (check,)


def test_each_of_several_counted_words_is_a_requirement():
    found = read_checks("Use the words war and peace at least 2 times.")
    assert found == (Repeats(word="war", at_least=2), Repeats(word="peace", at_least=2))


@pytest.mark.parametrize(
    "prompt",
    [
        'What does the word "serendipity" mean?',
        'What is the meaning of the phrase "break a leg"?',
        'Who said "I have a dream"?',
        'Write an ad that is related to the words "safe" and "sound".',
        "Write a story where the hero hums.",
        'End with no word after the word "stop".'.replace("no word", "nothing"),
        "How do I format my Word document?",
        "Do not mention prices.",
        "Write a letter to a friend.",
        'Use "x" as the variable.'.replace('"x"', "x"),
        "Write it word for word.",
        "What does the letter z stand for?",
        "The letters 'ab' come first.",
        'Include " " there.',
        'Then say "hi" to them.',
        "Do not start with the word 'so'.",
        "Count how many times the words 'a1' and 'b1' occur to you.",
        "If two topics contain the same word, merge them.",
    ],
)
def test_words_that_are_only_spoken_of_are_left_out(prompt):
    assert read_checks(prompt) == ()


def test_a_counted_word_is_neither_forbidden_nor_required_once_more():
    story = "They avoid using the letter t. The letter t must appear at least 30 times."
    assert read_checks(story) == (Letters(letter="t", at_least=30),)
    again = "Include the word sun. The word sun must appear at least 3 times."
    assert read_checks(again) == (Repeats(word="sun", at_least=3),)


def test_hundreds_of_words_are_cut_at_sixty():
    many = ", ".join(f'"w{i}"' for i in range(200))
    (found,) = read_checks(f"Include the words {many}.")
    assert isinstance(found, Includes)
    assert len(found.words) == 60
