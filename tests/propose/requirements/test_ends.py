"""First and last words, the request repeated, and answers to choose from."""

import pytest

from uppertail.checks import EndsWith, OneOf, StartsWith
from uppertail.propose.requirements.table import read_checks


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ('End with the phrase "The end".', "The end"),
        ('Finish your response with the exact phrase of "Is that all?"', "Is that all?"),
        (
            "Finish your entire response with this exact phrase: Hope you agree with me.",
            "Hope you agree with me.",
        ),
        (
            "The very end of your response should read exactly like: your love, and thanks.",
            "your love, and thanks.",
        ),
        ('The last sentence should be "See you soon."', "See you soon."),
        ("Give advice, and end with: That is all you need!", "That is all you need!"),
        ('Write a poem ending with the phrase "so long".', "so long"),
    ],
)
def test_last_words_are_read(prompt, text):
    assert read_checks(prompt) == (EndsWith(text=text),)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ('Begin your response with "Dear Sir".', "Dear Sir"),
        ('The first word of your answer must be "Yes".', "Yes"),
        ("What is love?\nFirst repeat the request word for word, then answer.", "What is love?"),
        ("What is it now? Before answering, repeat the entire request above.", "What is it now?"),
        ("Before you answer the request, repeat it.\n\nWhat is love?", "What is love?"),
        ("Before you answer, repeat the question exactly. What is love?", "What is love?"),
    ],
)
def test_first_words_are_read(prompt, text):
    assert read_checks(prompt) == (StartsWith(text=text),)


@pytest.mark.parametrize(
    ("prompt", "options"),
    [
        ("Choose from:\nYes, sure.\nNo way.\n\nThanks", ("Yes, sure.", "No way.")),
        ("Answer with one of the following options: 'yes', 'no', 'maybe'.", ("yes", "no", "maybe")),
        ("Pick one of these options:\n- left\n- right", ("left", "right")),
        ("It must be one of the following: It is. It is not.", ("It is.", "It is not.")),
    ],
)
def test_answers_to_choose_from_are_read(prompt, options):
    assert read_checks(prompt) == (OneOf(options=options),)


@pytest.mark.parametrize(
    "prompt",
    [
        "End with a question.",
        'Start each paragraph with "So".',
        "Include hashtags starting with '#'.",
        "How did the war end?",
        "End it with: ",
        "Do not repeat the question.",
        "Repeat the request first.",
        "First repeat the same, then go on.",
        "Give me some tags, starting with '#'.",
        "Choose from: left",
        "My first sentence is 'Hi'. What is yours?",
        "Choose one of the following.",
        "One of the following three classes: news, or demo. News is what is new. It is not old.",
        "Pick one of these options:\n" + "x" * 100,
    ],
)
def test_edges_of_other_things_are_left_out(prompt):
    assert read_checks(prompt) == ()


def test_a_request_too_long_to_be_read_whole_is_not_repeated():
    request = "Tell me of love. " * 1500
    assert read_checks(f"{request}\nFirst repeat the request above, then answer.") == ()
