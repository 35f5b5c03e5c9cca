import pytest

from uppertail.errors import StorageError
from uppertail.models.journal import Journal
from uppertail.models.verdicts import VerdictStore
from uppertail.types import Decider, Verdict
from uppertail.verify.interface import VerdictMemory

YES = Verdict(met=True, by=Decider(model="m", template="t", protocol="p"), share=0.75)
NO = Verdict(met=False, by=Decider(model="m"), reason="hostile \ud800 reason")


def test_a_prompt_sees_its_own_verdicts_at_once():
    with Journal(":memory:") as journal:
        memory: VerdictMemory = VerdictStore(journal.database).for_prompt()
        assert memory.get("k") is None
        memory["k"] = YES
        assert memory.get("k") == YES


def test_other_prompts_see_a_verdict_only_when_its_prompt_has_ended():
    with Journal(":memory:") as journal:
        store = VerdictStore(journal.database)
        ended, other = store.for_prompt(), store.for_prompt()
        ended["k"] = YES
        assert other.get("k") is None
        ended.flush()
        assert other.get("k") == YES
        assert ended.get("k") == YES


def test_a_prompt_that_never_ended_leaves_nothing_behind(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        VerdictStore(journal.database).for_prompt()["k"] = YES
    with Journal(tmp_path / "journal.db") as journal:
        assert VerdictStore(journal.database).for_prompt().get("k") is None


def test_stored_verdicts_read_back_as_they_were_in_a_later_process(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        memory = VerdictStore(journal.database).for_prompt()
        memory["yes"], memory["no"] = YES, NO
        memory.flush()
    with Journal(tmp_path / "journal.db") as journal:
        later = VerdictStore(journal.database).for_prompt()
        assert (later.get("yes"), later.get("no")) == (YES, NO)


def test_the_verdict_that_was_stored_first_stands():
    with Journal(":memory:") as journal:
        store = VerdictStore(journal.database)
        first, second = store.for_prompt(), store.for_prompt()
        first["k"], second["k"] = YES, NO
        first.flush()
        assert second.get("k") == NO
        second.flush()
        assert store.for_prompt().get("k") == YES


def test_flushing_twice_or_with_nothing_to_store_is_fine():
    with Journal(":memory:") as journal:
        memory = VerdictStore(journal.database).for_prompt()
        memory.flush()
        memory["k"] = YES
        memory.flush()
        memory.flush()
        assert memory.get("k") == YES


def test_a_failed_flush_stores_nothing_and_can_be_tried_again():
    with Journal(":memory:") as journal:
        store = VerdictStore(journal.database)
        memory = store.for_prompt()
        memory["k"] = YES
        journal.database.rows("PRAGMA query_only = 1")
        with pytest.raises(StorageError, match="read-only"):
            memory.flush()
        journal.database.rows("PRAGMA query_only = 0")
        assert store.for_prompt().get("k") is None
        memory.flush()
        assert store.for_prompt().get("k") == YES
