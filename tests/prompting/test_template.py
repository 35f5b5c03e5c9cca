import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.errors import InputError
from uppertail.prompting import Template, include, parse, read_user_template, shipped, version_of

HOSTILE = [
    "{prompt} {} {0} {{prompt}} {{response}} {% x %} ${x} %s \\1 \\g<0>",
    "\x00\x07\x1b[31m\r\n\u2028\x85",
    "\u202eright to left\u202c \u200b",
    "👩‍👩‍👧‍👦 e\u0301",
    "}}{{",
    "x" * 200_000,
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_inserted_exactly_as_it_is(value):
    template = parse("t", "A {{prompt}} B {{ response }} C", required=("prompt", "response"))

    filled = template.fill({"prompt": value, "response": "r"})

    assert filled == "A " + value + " B r C"


@given(st.text(), st.text())
def test_substitution_is_exact_for_any_two_values(first, second):
    template = parse("t", "<{{a}}|{{b}}|{{a}}>", required=("a", "b"))

    assert template.fill({"a": first, "b": second}) == f"<{first}|{second}|{first}>"


def test_an_unknown_slot_is_refused_with_the_file_and_the_slots_that_exist():
    with pytest.raises(InputError) as error:
        parse("my.md", "{{prompt}} {{promt}}", required=("prompt",), optional=("notes",))

    assert str(error.value) == (
        "my.md: unknown slot {{promt}}; the slots are {{prompt}}, {{notes}}"
    )


def test_a_missing_slot_is_refused_with_its_name():
    with pytest.raises(InputError, match=r"my\.md: the template lacks \{\{a\}\}, \{\{c\}\}"):
        parse("my.md", "{{b}}", required=("a", "b", "c"))


def test_an_empty_template_is_refused():
    with pytest.raises(InputError, match="empty"):
        parse("my.md", " \n", required=())


def test_braces_that_are_no_slot_are_plain_text():
    template = parse("t", 'Reply {"a": {"b": 1}} { {x} } {{1}} {{prompt}}', required=("prompt",))

    assert template.slots == ("prompt",)
    assert template.fill({"prompt": "p"}) == 'Reply {"a": {"b": 1}} { {x} } {{1}} p'


def test_parts_are_included_and_count_for_the_version():
    def made(rules: str) -> Template:
        return parse("t", "{{rules}} {{prompt}}", required=("prompt",), parts={"rules": rules})

    assert made("be brief: {{prompt}}").text == "be brief: {{prompt}} {{prompt}}"
    assert made("one").version != made("two").version
    assert made("one").version == made("one").version
    assert len(made("one").version) == 12


def test_include_leaves_other_slots_alone():
    assert include("{{a}} {{b}}", {"a": "{{b}}"}) == "{{b}} {{b}}"


def test_a_version_tells_where_one_text_ends_and_the_next_begins():
    assert version_of("ab", "c") != version_of("a", "bc")
    assert version_of("\ud800")


def test_a_user_template_is_read_without_its_byte_order_mark(tmp_path):
    path = tmp_path / "t.md"
    path.write_bytes(b"\xef\xbb\xbfhello {{prompt}}")

    assert read_user_template(path) == "hello {{prompt}}"


def test_a_user_template_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.md: the template cannot be read: No such file"):
        read_user_template(tmp_path / "gone.md")


def test_a_user_template_that_is_not_utf8_is_refused_with_the_place(tmp_path):
    path = tmp_path / "t.md"
    path.write_bytes(b"abc\xff")

    with pytest.raises(InputError, match="expected UTF-8 text; byte 3 is not"):
        read_user_template(path)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("uppertail.propose", "initial.md"),
        ("uppertail.propose", "rtd.md"),
        ("uppertail.verify", "verifier.md"),
    ],
)
def test_the_shipped_templates_lie_beside_the_code(package, name):
    assert shipped(package, name)
