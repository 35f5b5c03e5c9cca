"""Lengths in words, sentences, paragraphs and parts."""

import pytest

from uppertail.checks import Paragraphs, ParagraphStarts, Parts, Sentences, Words
from uppertail.propose.requirements.table import read_checks


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ("Write a 300+ word summary.", 300, None),
        ("Answer with at least 1,200 words.", 1200, None),
        ("Keep it under 100 words.", None, 99),
        ("Limit your response to 40 words.", None, 40),
        ("Don't write more than 200 words.", None, 200),
        ("The response must not exceed 50 words.", None, 50),
        ("Answer in 100 words or less.", None, 100),
        ("Write between 100 and 150 words.", 100, 150),
        ("Use 200-250 words.", 200, 250),
        ("Use 200 to 250 words.", 200, 250),
        ("Write exactly 70 words.", 70, 70),
        ("Write a 300-word essay.", 270, 330),
        ("Write about 150 words on cats.", 120, 180),
        ("Answer in one word.", 1, 1),
        ("Write at least four hundred and fifty words.", 450, None),
        ("Use fewer than twenty-five words.", None, 24),
        ("Write at least two thousand words.", 2000, None),
        ("Write no fewer than a dozen words.", 12, None),
        ("The total number of words in your response should be 250 or more.", 250, None),
        ("There is a word limit of 80.", None, 80),
        ("Its word count must be more than 80.", 81, None),
    ],
)
def test_words_are_read_with_their_bounds(prompt, low, high):
    assert read_checks(prompt) == (Words(at_least=low, at_most=high),)


@pytest.mark.parametrize(
    "prompt",
    [
        "Summarize this 500 word article for me.",
        "Write a title of 10 words.",
        "Each paragraph has 50 words.",
        "Write tweets of 20 words each.",
        "Give me 10 words that rhyme with cat.",
        "How many words are there in English?",
        "Rewrite the first two paragraphs.",
        "In other words, tell me the words to the song.",
        "I have written 300 words, what now?",
        "Write at least 0 words.",
        "Explain why more than 300 people died.",
    ],
)
def test_words_of_other_things_are_no_requirement(prompt):
    assert read_checks(prompt) == ()


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ("Respond in less than 6 sentences.", None, 5),
        ("Please provide less than a total of 10 sentences in your answer.", None, 9),
        ("Answer in a single sentence.", 1, 1),
        ("Write 2 or 3 sentences.", 2, 3),
        ("Write about ten sentences.", 8, 12),
        ("The number of sentences should be at least 5.", 5, None),
    ],
)
def test_sentences_are_read_with_their_bounds(prompt, low, high):
    assert read_checks(prompt) == (Sentences(at_least=low, at_most=high),)


def test_the_first_sentences_of_a_text_are_no_length():
    assert read_checks("Rewrite only the first four sentences.") == ()


@pytest.mark.parametrize(
    ("prompt", "check"),
    [
        ("Give me five paragraphs.", Paragraphs(at_least=5, at_most=5)),
        ("No more than two paragraphs.", Paragraphs(at_most=2)),
        (
            "There should be 3 paragraphs each separated by three asterisk symbols.",
            Paragraphs(at_least=3, at_most=3, divider="***"),
        ),
        (
            "Put it into at least 5 sections, separated using 3 asterisks ***.",
            Paragraphs(at_least=5, divider="***"),
        ),
        (
            "Just the first 5 steps. Separate them with ***.",
            Paragraphs(at_least=5, at_most=5, divider="***"),
        ),
        (
            "Use exactly this format:\n\nWhat\n***\nWhy\n***\nHow",
            Paragraphs(at_least=3, at_most=3, divider="***"),
        ),
        ("Use this format:\n\nWhat\n***\nWhy\n***\n...", Paragraphs(at_least=3, divider="***")),
        (
            "Write 4 paragraphs. The last paragraph must start with the word 'So'.",
            ParagraphStarts(paragraph=4, word="So", paragraphs=4),
        ),
        (
            "Paragraph 2 must begin with the word However.",
            ParagraphStarts(paragraph=2, word="However"),
        ),
        (
            "Start the second paragraph with 'Now'.",
            ParagraphStarts(paragraph=2, word="Now"),
        ),
        (
            "The 3rd paragraph starts with the word then.",
            ParagraphStarts(paragraph=3, word="then"),
        ),
        ("Write two stories separated by ------.", Parts(separator="------", count=2)),
        ("Give different answers, separated by ******.", Parts(separator="******", count=2)),
        ("Give three names separated by six asterisks.", Parts(separator="******", count=3)),
    ],
)
def test_paragraphs_and_parts_are_read_with_their_divider(prompt, check):
    assert read_checks(prompt) == (check,)


@pytest.mark.parametrize(
    "prompt",
    [
        "The last paragraph must start with the word 'So'.",
        "The first paragraph must start with 'In the beginning'.",
        "Separate the two ideas by ***.".replace("two ", ""),
        "My app separates users; it has 3 asterisks in its logo. Why?".replace("separates", "has"),
    ],
)
def test_what_cannot_be_placed_is_left_out(prompt):
    assert read_checks(prompt) == ()
