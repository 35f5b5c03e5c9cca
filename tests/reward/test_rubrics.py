from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field

import pytest

from tests.reward.made import rollout, rubric
from uppertail.data.rows import rubric_row
from uppertail.data.write import write_jsonl
from uppertail.errors import InputError, Lost, StorageError
from uppertail.propose.interface import Contrast
from uppertail.reward.rubrics import Carried, FirstOf, Stored, Written, prompt_words
from uppertail.score.interface import Rollout
from uppertail.types import Criterion, Lineage, Message, Pool, Prompt, Rubric


@dataclass
class FakeProposer:
    """Writes one criterion a prompt; a prompt that says "lost" gets none."""

    name: str = "fake"
    mark: str = ""
    asked: list[str] = field(default_factory=list)

    async def initial(self, prompt: Prompt) -> Rubric:
        self.asked.append(prompt.text)
        await asyncio.sleep(0)
        if "lost" in prompt.text:
            raise Lost("nothing could be read")
        return Rubric(prompt_id=prompt.id, criteria=(Criterion(text=f"{self.mark}{prompt.text}"),))

    async def refine(
        self,
        pool: Pool,
        rubric: Rubric,
        contrast: Contrast,
        *,
        round: int,
        refused: str | None = None,
    ) -> Rubric:
        raise AssertionError("rewards refine nothing")


def asks(text: str, id: str = "") -> Rollout:
    return Rollout(prompt=Prompt.plain(text, id=id or None), completion="x")


def made(id: str, text: str = "criterion") -> Rubric:
    lineage = Lineage(model="import")  # as a file's rubrics have that name no model
    return Rubric(prompt_id=id, criteria=(Criterion(text=text),), lineage=lineage)


async def test_a_carried_rubric_is_the_rollouts_own():
    own = rubric(1.0)
    assert await Carried().find(rollout(rubric=own)) is own
    assert await Carried().find(rollout()) is None


async def test_a_stored_rubric_is_found_by_the_prompts_id():
    stored = Stored([made("p1", "one"), made("p2", "two")])
    found = await stored.find(asks("whatever", "p2"))
    assert found == made("p2", "two")
    assert await stored.find(asks("whatever", "p2")) is found  # decoded once
    assert await stored.find(asks("whatever", "p3")) is None
    assert len(stored) == 2


async def test_a_stored_rubric_is_found_by_the_prompts_words(tmp_path):
    write_jsonl(tmp_path / "rubrics.jsonl", [rubric_row(made("p1"), Prompt.plain("words"))])
    for source in (tmp_path, tmp_path / "rubrics.jsonl", str(tmp_path)):
        assert await Stored(source).find(asks("words", "another id")) == made("p1")


async def test_a_rubric_without_an_id_is_known_by_the_words_of_its_prompt(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text(json.dumps({"prompt": "words", "criteria": ["It is short."]}) + "\n")
    found = await Stored(file).find(asks("words", "row 7"))
    assert found is not None
    assert found.criteria[0].text == "It is short."


async def test_a_rubric_of_rubrics_alone_is_found_by_words_where_its_id_is_their_hash():
    words = Prompt.plain("words")
    assert await Stored([made(words.id)]).find(asks("words", "row 7")) == made(words.id)


async def test_an_id_whose_words_are_others_does_not_count(tmp_path):
    """Trainers number the rows of every data set from 0."""
    rows = [rubric_row(made("0", "of a"), Prompt.plain("a", id="0"))]
    rows.append(rubric_row(made("1", "of b"), Prompt.plain("b", id="1")))
    write_jsonl(tmp_path / "rubrics.jsonl", rows)
    stored = Stored(tmp_path)
    assert await stored.find(asks("b", "0")) == made("1", "of b")
    assert await stored.find(asks("c", "0")) is None


async def test_conversations_are_told_apart_from_plain_prompts():
    turns = (Message(role="system", content="Be brief."), Message(role="user", content="words"))
    talk = Prompt(id="0", messages=turns)
    assert prompt_words(talk) != prompt_words(Prompt.plain("words"))


async def test_more_rubrics_than_are_kept_decoded_are_found_all_the_same():
    stored = Stored(made(str(i)) for i in range(4200))
    for i in (*range(4200), 0):
        found = await stored.find(asks("x", str(i)))
        assert found is not None
        assert found.prompt_id == str(i)


def test_stored_rubrics_are_named_by_their_file_their_number_and_what_they_say(tmp_path):
    """A server that comes back with an edited file has another scorer."""
    file = tmp_path / "r.jsonl"
    names = []
    for rubrics in ([made("p", "one")], [made("p", "other")], [made("p"), made("q")]):
        write_jsonl(file, map(rubric_row, rubrics))
        names.append(Stored(file).name)
        assert Stored(str(file)).name == names[-1]
    assert [name.rpartition(" ")[0] for name in names] == [
        f"stored (r.jsonl, count {count}, hash" for count in (1, 1, 2)
    ]
    assert len(set(names)) == 3
    assert Stored([made("p", "one")]).name == names[0].replace("r.jsonl, ", "")


def test_a_prompt_with_two_rubrics_is_refused(tmp_path):
    file = tmp_path / "r.jsonl"
    write_jsonl(file, [rubric_row(made("p")), rubric_row(made("p", "other"))])
    with pytest.raises(InputError, match=r"r\.jsonl.*'p' has two"):
        Stored(file)
    with pytest.raises(InputError, match="'p' has two"):
        Stored([made("p"), made("p")])


def test_a_file_without_criteria_is_refused_with_its_place(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text('{"prompt_id": "p", "criteria": []}\n')
    with pytest.raises(InputError, match=r"r\.jsonl, line 1.*criteria"):
        Stored(file)


async def test_a_rubric_is_written_once_for_all_rollouts_of_a_prompt(tmp_path):
    proposer = FakeProposer()
    written = Written(proposer, tmp_path / "r.jsonl")
    found = await asyncio.gather(*(written.find(asks(text)) for text in "aabab"))
    assert [one and one.criteria[0].text for one in found] == list("aabab")
    assert sorted(proposer.asked) == ["a", "b"]


async def test_what_was_written_survives_a_restart(tmp_path):
    first = await Written(FakeProposer(), tmp_path / "new" / "r.jsonl").find(asks("a"))
    proposer = FakeProposer(mark="again ")
    again = await Written(proposer, tmp_path / "new" / "r.jsonl").find(asks("a", "another id"))
    assert again is not None
    assert first is not None
    assert again.criteria == first.criteria
    assert not proposer.asked


async def test_a_line_that_a_killed_process_left_is_cut_off(tmp_path):
    path = tmp_path / "r.jsonl"
    await Written(FakeProposer(), path).find(asks("a"))
    path.write_bytes(path.read_bytes() + b'{"prompt_id": "b", "criteria": [{"crit')
    written = Written(FakeProposer(), path)
    assert await written.find(asks("b")) is not None
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["prompt"] for row in rows] == ["a", "b"]


async def test_of_two_processes_the_first_to_write_is_right(tmp_path):
    one = Written(FakeProposer(mark="one "), tmp_path / "r.jsonl")
    two = Written(FakeProposer(mark="two "), tmp_path / "r.jsonl")
    first, second = await one.find(asks("a")), await two.find(asks("a"))
    assert first is not None
    assert second is not None
    assert first.criteria == second.criteria == (Criterion(text="one a"),)
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 1


async def test_what_could_not_be_written_is_asked_for_again(tmp_path):
    proposer = FakeProposer()
    written = Written(proposer, tmp_path / "r.jsonl")
    for _ in range(2):
        with pytest.raises(Lost, match="nothing could be read"):
            await written.find(asks("lost"))
    assert len(proposer.asked) == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [('{"no": "rubric"}', "criteria"), ("[1]", "expected an object"), ("no", "not JSON")],
)
def test_a_file_that_holds_something_else_is_refused_with_its_place(tmp_path, line, problem):
    good = json.dumps(rubric_row(made("p")))
    (tmp_path / "r.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(InputError, match=rf"r\.jsonl, line 2.*{problem}"):
        Written(FakeProposer(), tmp_path / "r.jsonl")


def test_a_file_that_cannot_be_made_is_an_error_with_its_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        Written(FakeProposer(), tmp_path / "file" / "r.jsonl")


async def test_the_first_source_that_has_a_rubric_gives_it(tmp_path):
    written = Written(FakeProposer(), tmp_path / "r.jsonl")
    source = FirstOf(Carried(), Stored([made("p1", "stored")]), written)
    own = rubric(1.0)
    assert await source.find(rollout(rubric=own)) is own
    assert await source.find(asks("x", "p1")) == made("p1", "stored")
    last = await source.find(asks("y", "p2"))
    assert last is not None
    assert last.criteria[0].text == "y"
    assert re.fullmatch(r"carried, else stored \(count 1, hash \w{8}\), else written", source.name)
    assert await FirstOf(Carried()).find(asks("x")) is None
