import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from uppertail.errors import StorageError
from uppertail.models.database import APPLICATION
from uppertail.models.interface import Reply, Request, Usage
from uppertail.models.journal import Answer, Journal, Spent, call_key
from uppertail.types import Message

HOSTILE = (
    '{"verdict": "yes"}\x00 lone \ud800 surrogate, \u202e bidi, emoji 🦊, quote " and \\ slash'
)


def request(text="How tall is it?", **changes) -> Request:
    base = Request(messages=(Message(role="user", content=text),), role="verifier")
    return replace(base, **changes)


def answer(text="yes", usd: float | None = 0.25, **changes) -> Answer:
    return Answer(reply=replace(Reply(text=text), **changes), usd=usd)


async def stored(journal: Journal, text="yes", *, model="m", sample=0, usd: float | None = 0.25):
    asked = request(sample=sample)
    key = call_key(model, asked)
    return key, await journal.put(key, answer(text, usd), model=model, request=asked)


# The key


def joined(text: str) -> str:
    """Return `text` with surrogates that form a pair joined, as every JSON reader does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


texts = st.text(st.characters(exclude_categories=()), max_size=20).map(joined)
chances = st.none() | st.floats(0, 2)
messages = st.lists(
    st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=texts),
    min_size=1,
    max_size=3,
).map(tuple)
requests = st.builds(
    Request,
    messages=messages,
    role=st.sampled_from(["proposer", "verifier"]),
    template=st.sampled_from(["", "t1", "t2"]),
    temperature=chances,
    top_p=chances,
    max_tokens=st.none() | st.integers(1, 5),
    sample=st.integers(0, 3),
    prefix=st.sampled_from(["", "p"]),
)
names = st.sampled_from(["m", "n", ""])


def identity(model: str, asked: Request):
    return (
        model,
        asked.messages,
        asked.temperature,
        asked.top_p,
        asked.max_tokens,
        asked.template,
        asked.sample,
    )


@given(names, requests, names, requests)
def test_two_calls_share_a_key_exactly_when_their_identity_is_the_same(m1, r1, m2, r2):
    assert (call_key(m1, r1) == call_key(m2, r2)) == (identity(m1, r1) == identity(m2, r2))


@given(requests, texts, st.data())
def test_changing_any_one_field_of_the_identity_changes_the_key(asked, text, data):
    changes = {
        "messages": (*asked.messages, Message(role="user", content=text)),
        "template": asked.template + "x",
        "temperature": 3.0,
        "top_p": 3.0,
        "max_tokens": 6,
        "sample": asked.sample + 1,
    }
    field = data.draw(st.sampled_from(sorted(changes)))
    assert call_key("m", replace(asked, **{field: changes[field]})) != call_key("m", asked)


@given(requests)
def test_role_and_prefix_leave_the_key_alone(asked):
    assert call_key("m", replace(asked, role="judge", prefix="other")) == call_key("m", asked)


def test_the_same_number_written_as_an_integer_gives_the_same_key():
    assert call_key("m", request(temperature=1)) == call_key("m", request(temperature=1.0))


def test_a_key_is_the_hash_of_documented_json_and_stays_so_in_later_versions():
    # printf '%s' '{"max_tokens":null,"messages":[["user","é"]],"model":"m","sample":0,'\
    # '"temperature":0.5,"template":"","top_p":null}' | sha256sum
    assert call_key("m", request("é", temperature=0.5)) == (
        "2ae3d5c6ab1465278f6414fcc880b50e9cdf54f8ae2f21a25c3d78dc94452944"
    )


# Storing and finding


async def test_an_answer_reads_back_as_it_was_stored_hostile_text_included(tmp_path):
    full = Answer(
        reply=Reply(
            text=HOSTILE,
            reasoning="because",
            finish="length",
            usage=Usage(prompt_tokens=3, cached_tokens=2, completion_tokens=5, reasoning_tokens=1),
            seconds=1.25,
        ),
        usd=None,
    )
    with Journal(tmp_path / "journal.db") as journal:
        asked = request(HOSTILE)
        await journal.put(call_key("m", asked), full, model="m", request=asked)
    with Journal(tmp_path / "journal.db") as again:
        assert await again.get(call_key("m", asked)) == full


async def test_an_unknown_key_is_none(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        assert await journal.get("nothing") is None


async def test_the_answer_that_was_stored_first_stands(tmp_path):
    with Journal(tmp_path / "j.db") as journal, Journal(tmp_path / "j.db") as other:
        key, first = await stored(journal, "first")
        _, second = await stored(other, "second")
        assert first.reply.text == second.reply.text == "first"
        found = await journal.get(key)
        assert found == first


async def test_answers_of_one_turn_of_the_loop_are_all_stored(tmp_path):
    with Journal(tmp_path / "j.db") as journal:
        put = await asyncio.gather(*(stored(journal, f"{n}", sample=n) for n in range(5)))
    with Journal(tmp_path / "j.db") as journal:
        assert [await journal.get(key) for key, _ in put] == [answer(f"{n}") for n in range(5)]


async def test_within_one_turn_too_the_first_answer_to_a_key_stands(tmp_path):
    with Journal(tmp_path / "j.db") as journal:
        wanted = [("a", 0), ("b", 1), ("c", 1), ("d", 0), ("e", 2)]
        put = await asyncio.gather(*(stored(journal, text, sample=n) for text, n in wanted))
        assert [stands.reply.text for _, stands in put] == ["a", "b", "b", "a", "e"]


async def test_an_answer_whose_caller_is_cancelled_in_its_turn_is_stored(tmp_path):
    with Journal(tmp_path / "j.db") as journal:
        tasks = [asyncio.create_task(stored(journal, f"{n}", sample=n)) for n in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[1], asyncio.CancelledError)
        assert await journal.get(call_key("m", request(sample=1))) == answer("1")
        assert (await tasks[2])[1] == answer("2")


async def test_every_answer_of_a_turn_that_cannot_be_stored_is_a_storage_error(tmp_path):
    with Journal(tmp_path / "j.db") as journal:
        journal.database.write("PRAGMA query_only = ON", ())
        tasks = [stored(journal, sample=n) for n in range(3)]
        errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [StorageError] * 3


async def test_an_answer_that_cannot_be_stored_harms_no_other_of_its_turn(tmp_path):
    huge = answer(usage=Usage(prompt_tokens=2**70))
    with Journal(tmp_path / "j.db") as journal:

        async def put(n: int) -> Answer:
            asked = request(sample=n)
            given = huge if n == 2 else answer(f"{n}")
            return await journal.put(call_key("m", asked), given, model="m", request=asked)

        results = await asyncio.gather(*(put(n) for n in range(4)), return_exceptions=True)
    assert [type(one) for one in results] == [Answer, Answer, StorageError, Answer]
    with Journal(tmp_path / "j.db") as journal:
        assert len(journal.database.rows("SELECT key FROM calls")) == 3


async def test_closing_a_journal_commits_what_is_left_of_the_turn(tmp_path):
    with Journal(tmp_path / "j.db") as journal:
        tasks = [asyncio.create_task(stored(journal, f"{n}", sample=n)) for n in range(2)]
        await asyncio.sleep(0)
    assert [stands for _, stands in await asyncio.gather(*tasks)] == [answer("0"), answer("1")]
    with Journal(tmp_path / "j.db") as journal:
        assert len(journal.database.rows("SELECT key FROM calls")) == 2


def test_a_journal_outlives_a_loop_that_stops_within_a_turn(tmp_path):
    async def put(journal: Journal, sample: int) -> None:
        await stored(journal, sample=sample)
        asyncio.get_running_loop().stop()

    with Journal(tmp_path / "j.db") as journal:
        for sample in range(2):
            loop = asyncio.new_event_loop()
            task = loop.create_task(put(journal, sample))
            loop.run_forever()
            loop.close()
            assert task.done()
        assert len(journal.database.rows("SELECT key FROM calls")) == 2


async def test_a_row_says_who_was_asked_for_what_and_when(tmp_path):
    with Journal(tmp_path / "journal.db", clock=lambda: 1234.5) as journal:
        asked = request(role="proposer", template="abc", sample=7)
        spent = answer(usage=Usage(prompt_tokens=4, cached_tokens=3, completion_tokens=2))
        await journal.put("k", spent, model="vllm/judge", request=asked)
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        raw.row_factory = sqlite3.Row
        row = dict(raw.execute("SELECT * FROM calls").fetchone())
    raw.close()
    assert json.loads(row.pop("reply"))["text"] == "yes"
    assert row == {
        "key": "k",
        "model": "vllm/judge",
        "role": "proposer",
        "template": "abc",
        "sample": 7,
        "prompt_tokens": 4,
        "cached_tokens": 3,
        "completion_tokens": 2,
        "usd": 0.25,
        "seconds": 0.0,
        "created": 1234.5,
    }


async def test_what_was_spent_is_told_by_model_and_unpriced_calls_by_their_tokens(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        await stored(journal, model="b", sample=0, usd=0.5)
        await stored(journal, model="b", sample=1, usd=0.25)
        unpriced = answer(
            usd=None, usage=Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=3)
        )
        await journal.put("k1", unpriced, model="a", request=request())
        await journal.put("k2", unpriced, model="a", request=request())
        assert await journal.spent() == (
            Spent(
                model="a",
                usd=0.0,
                unpriced=Usage(prompt_tokens=20, cached_tokens=8, completion_tokens=6),
            ),
            Spent(model="b", usd=0.75, unpriced=Usage()),
        )


async def test_a_journal_in_memory_works_without_a_file():
    with Journal(":memory:") as journal:
        key, first = await stored(journal)
        assert await journal.get(key) == first


# Files that cannot be used


def test_a_folder_that_does_not_exist_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match=r"nowhere.*its folder must exist"):
        Journal(tmp_path / "nowhere" / "journal.db")


def test_a_file_that_is_no_database_is_a_storage_error(tmp_path):
    (tmp_path / "journal.db").write_text("prompt,response\n" * 100)
    with pytest.raises(StorageError, match="not a journal"):
        Journal(tmp_path / "journal.db")


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        raw.execute("CREATE TABLE bookmarks (url)")
    raw.close()
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(StorageError, match="another program"):
        Journal(tmp_path / "journal.db")
    assert (tmp_path / "journal.db").read_bytes() == before


def test_a_journal_of_another_format_is_refused_with_both_formats_named(tmp_path):
    Journal(tmp_path / "journal.db").close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        raw.execute("PRAGMA user_version = 9")
    raw.close()
    with pytest.raises(StorageError, match=r"format 9.*reads format 1"):
        Journal(tmp_path / "journal.db")


async def read_all(journal: Journal) -> None:
    for sample in range(200):
        await journal.get(call_key("m", request(sample=sample)))


async def test_damage_inside_the_file_is_a_storage_error(tmp_path):
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        for sample in range(200):
            await stored(journal, "x" * 500, sample=sample)
    data = path.read_bytes()
    path.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    with Journal(path) as journal, pytest.raises(StorageError, match="damaged"):
        await read_all(journal)


async def test_a_full_disk_is_a_storage_error_and_keeps_what_was_stored(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        key, first = await stored(journal)
        ((pages,),) = journal.database.rows("PRAGMA page_count")
        journal.database.rows(f"PRAGMA max_page_count = {pages!r}")
        with pytest.raises(StorageError, match="disk is full; make room"):
            await stored(journal, "x" * 50_000, sample=1)
        assert await journal.get(key) == first


def test_a_file_size_limit_of_the_system_is_a_storage_error(tmp_path):
    program = f"""
import asyncio, resource
from uppertail.errors import StorageError
from uppertail.models.interface import Reply, Request
from uppertail.models.journal import Answer, Journal
journal = Journal({str(tmp_path / "journal.db")!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
request = Request(messages=(), role="verifier")
async def fill():
    for n in range(1000):
        await journal.put(str(n), Answer(reply=Reply(text="x" * 5000), usd=0), model="m", request=request)
try:
    asyncio.run(fill())
except StorageError as error:
    print("refused:", error)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "refused: " in done.stdout, done.stderr
    assert "full" in done.stdout


async def test_a_read_only_journal_is_a_storage_error(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        journal.database.rows("PRAGMA query_only = 1")
        with pytest.raises(StorageError, match="read-only"):
            await stored(journal)


async def test_a_journal_that_another_process_keeps_locked_is_a_storage_error(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        journal.database.rows("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another process"):
            await stored(journal)
        other.close()


async def test_use_after_closing_is_a_storage_error(tmp_path):
    journal = Journal(tmp_path / "journal.db")
    journal.close()
    with pytest.raises(StorageError, match="closed"):
        await journal.get("k")


# Many processes, and death at any moment

WRITER = """
import asyncio, itertools, sys
from uppertail.models.interface import Reply, Request
from uppertail.models.journal import Answer, Journal

path, name, most = sys.argv[1], sys.argv[2], int(sys.argv[3])

async def write():
    journal = Journal(path)
    request = Request(messages=(), role="verifier")
    for n in itertools.count() if most < 0 else range(most):
        key = f"{name}-{n}"
        answer = Answer(reply=Reply(text=key * 50), usd=0.0)
        await journal.put(key, answer, model="m", request=request)
        print(key, flush=True)
    journal.close()

asyncio.run(write())
"""


def start_writer(path: Path, name: str, most: int, said: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(most)]
    with said.open("wb") as out:
        return subprocess.Popen(command, stdout=out)


def write_and_be_killed(path: Path, name: str, said: Path, *, seconds: float) -> list[str]:
    """Return the keys that the writer said it had stored before it was killed."""
    writer = start_writer(path, name, -1, said)
    while not said.stat().st_size:
        assert writer.poll() is None
        time.sleep(0.01)
    time.sleep(seconds)
    writer.send_signal(signal.SIGKILL)
    writer.wait(timeout=60)
    return said.read_text().split("\n")[:-1]  # a last line without an end was not said


async def test_processes_that_open_a_new_journal_at_once_lose_nothing(tmp_path):
    path = tmp_path / "journal.db"
    files = [tmp_path / f"said{n}" for n in range(4)]
    writers = [start_writer(path, file.name, 100, file) for file in files]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 4
    said = [key for file in files for key in file.read_text().split()]
    assert len(said) == 400
    with Journal(path) as journal:
        for key in said:
            assert await journal.get(key) is not None


async def test_killing_the_writer_at_any_moment_loses_no_answer_that_was_put(tmp_path):
    path = tmp_path / "journal.db"
    said: list[str] = []
    for attempt in range(3):
        log = tmp_path / f"said{attempt}"
        said += write_and_be_killed(path, log.name, log, seconds=0.02 + 0.05 * attempt)
    with Journal(path) as journal:
        assert journal.database.rows("PRAGMA integrity_check") == [("ok",)]
        for key in said:
            found = await journal.get(key)
            assert found is not None
            assert found.reply.text == key * 50
        # A writer may have died between storing an answer and saying so.
        assert len(journal.database.rows("SELECT key FROM calls")) <= len(said) + 3


async def test_a_torn_log_loses_at_most_the_last_answers_and_still_opens(tmp_path):
    path = tmp_path / "journal.db"
    journal = Journal(path)
    keys = [(await stored(journal, sample=sample))[0] for sample in range(20)]
    torn = tmp_path / "torn.db"
    torn.write_bytes(path.read_bytes())
    log = (tmp_path / "journal.db-wal").read_bytes()
    (tmp_path / "torn.db-wal").write_bytes(log[:-100])
    journal.close()
    with Journal(torn) as after:
        found = [await after.get(key) is not None for key in keys]
    assert found == [True] * 19 + [False]


async def test_the_totals_of_a_role_cover_all_processes(tmp_path):
    with Journal(tmp_path / "j.db") as journal:
        assert journal.roles() == ()
        for sample, seconds in enumerate([1.0, 2.0, 9.0]):
            asked = request(sample=sample)
            reply = Reply(
                text="x", usage=Usage(prompt_tokens=10, completion_tokens=1), seconds=seconds
            )
            await journal.put(
                call_key("m", asked), Answer(reply=reply, usd=0.5), model="m", request=asked
            )
    with Journal(tmp_path / "j.db") as journal:
        (total,) = journal.roles()
        assert (total.role, total.calls, total.usd) == ("verifier", 3, 1.5)
        assert (total.usage.prompt_tokens, total.usage.completion_tokens) == (30, 3)
        assert (total.p50_seconds, total.p95_seconds) == (2.0, 9.0)
        await stored(journal, usd=None, sample=7)
        assert journal.roles()[0].usd is None
