from __future__ import annotations

import pytest

from tests.reward.made import NO, YES
from uppertail.errors import StorageError
from uppertail.models import Journal
from uppertail.reward.memory import RewardMemory
from uppertail.types import Decider, Verdict

SHEET = (YES, NO)


def test_a_batch_sees_its_own_sheets_and_others_see_them_after_the_flush():
    memory = RewardMemory()
    first, second = memory.batch(), memory.batch()
    first.keep("k", SHEET)
    assert (first.sheet("k"), second.sheet("k")) == (SHEET, None)
    first.flush()
    assert second.sheet("k") == SHEET


def test_sheets_outlive_the_process_in_the_journals_file(tmp_path):
    with Journal(tmp_path / "j.sqlite") as journal:
        batch = RewardMemory(journal.database).batch()
        batch.keep("k", SHEET)
        batch.flush()
    with Journal(tmp_path / "j.sqlite") as journal:
        batch = RewardMemory(journal.database).batch()
        assert batch.sheet("k") == SHEET
        assert batch.sheet("other") is None


def test_the_sheet_that_was_stored_first_stays(tmp_path):
    with Journal(tmp_path / "j.sqlite") as one, Journal(tmp_path / "j.sqlite") as two:
        for journal, sheet in ((one, (YES,)), (two, (NO,))):
            batch = RewardMemory(journal.database).batch()
            batch.keep("k", sheet)
            batch.flush()
        assert RewardMemory(two.database).get("k") == (YES,)


def test_only_the_latest_sheets_stay_in_memory():
    memory = RewardMemory(recent=2)
    memory.keep({"a": SHEET, "b": SHEET})
    memory.get("a")
    memory.keep({"c": SHEET})
    assert [memory.get(key) is not None for key in "abc"] == [True, False, True]


def test_single_verdicts_are_stored_with_the_batch(tmp_path):
    with Journal(tmp_path / "j.sqlite") as journal:
        memory = RewardMemory(journal.database)
        batch = memory.batch()
        batch["v"] = YES
        assert memory.batch().get("v") is None
        batch.flush()
        assert memory.batch().get("v") == YES


def test_without_a_file_single_verdicts_live_as_long_as_their_batch():
    memory = RewardMemory()
    batch = memory.batch()
    batch["v"] = YES
    batch.flush()
    assert batch.get("v") == YES
    assert memory.batch().get("v") is None


def test_a_file_that_cannot_be_used_is_an_error_with_its_name(tmp_path):
    journal = Journal(tmp_path / "j.sqlite")
    memory = RewardMemory(journal.database)
    journal.close()
    with pytest.raises(StorageError, match=r"j\.sqlite"):
        memory.get("k")


def test_sheets_of_several_deciders_read_back_as_they_were(tmp_path):
    one, other = Decider(model="judge", template="t"), Decider(model="offline")
    sheet = (
        Verdict(met=True, by=one),
        Verdict(met=False, by=other, reason="\ud800 and so on"),
        Verdict(met=True, by=one, share=2 / 3, reason="it does"),
    )
    with Journal(tmp_path / "calls.db") as journal:
        RewardMemory(journal.database).keep({"k": sheet})
        assert RewardMemory(journal.database).get("k") == sheet


@pytest.mark.parametrize(
    "stored", ["[[], 1]", '[[{"model":"m"}],[[true,1,null,""]]]', '[[],[[true,-1,null,""]]]']
)
def test_a_damaged_sheet_is_told(tmp_path, stored):
    with Journal(tmp_path / "calls.db") as journal:
        memory = RewardMemory(journal.database)
        write = "INSERT INTO sheet_rows VALUES (?, ?)"
        journal.database.write(write, ("k", stored))
        with pytest.raises(StorageError, match="a stored row is damaged"):
            memory.get("k")
