"""The run folder: nothing is lost, nothing mixes, and what goes wrong is said in one line."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.data.run_folder import RunConfig, RunFolder, differences, read_config
from uppertail.errors import InputError, StorageError
from uppertail.types import Prompt


def folder(path: Path) -> RunFolder[Prompt, str]:
    return RunFolder(path, Prompt, str)


def prompts(count: int) -> list[tuple[str, Prompt]]:
    return [(f"p{i}", Prompt.plain(f"prompt {i}", id=f"p{i}")) for i in range(count)]


def config(**identity) -> RunConfig:
    return RunConfig(command="refine", identity=identity, options={"seed": 1})


def test_inputs_come_back_in_order_and_results_too(tmp_path):
    with folder(tmp_path) as run:
        assert run.stage(iter(prompts(5))) == 5
        for position, prompt in reversed(list(run.pending())):
            run.store(position, prompt.id, complete=True)
        assert [result for _, result in run.results()] == ["p0", "p1", "p2", "p3", "p4"]
        assert list(run.pending()) == []
        assert run.finished == 5


def test_a_reopened_run_goes_on_where_it_was(tmp_path):
    with folder(tmp_path) as run:
        run.stage(prompts(3))
        run.configure(config())
        run.store(1, "done", complete=True)
    with folder(tmp_path) as run:
        assert run.staged
        assert [position for position, _ in run.pending()] == [0, 2]


def test_results_that_lost_something_are_tried_again(tmp_path):
    with folder(tmp_path) as run:
        run.stage(prompts(2))
        run.store(0, "half", complete=False)
        run.store(1, "whole", complete=True)
        assert [position for position, _ in run.pending()] == [0]
        assert run.finished == 1
        assert [result for _, result in run.results()] == ["half", "whole"], "until replaced"
        run.store(0, "mended", complete=True)
        assert [result for _, result in run.results()] == ["mended", "whole"]


def test_staging_is_all_or_none(tmp_path):
    def broken():
        yield from prompts(2)
        raise InputError("line 3 is not JSON")

    with folder(tmp_path) as run:
        with pytest.raises(InputError):
            run.stage(broken())
        assert not run.staged
        assert len(run) == 0
        assert run.stage(prompts(1)) == 1


def test_results_may_be_stored_while_inputs_are_read(tmp_path):
    with folder(tmp_path) as run:
        run.stage(prompts(10))
        for position, _ in run.pending():
            run.store(position, "x", complete=True)
        assert run.finished == 10


def test_inputs_that_were_staged_for_no_run_are_staged_again(tmp_path):
    with folder(tmp_path) as run:
        run.stage(prompts(2))
    with folder(tmp_path) as run:
        assert not run.staged
        assert run.stage(prompts(3)) == 3


def test_a_new_folder_that_never_held_a_run_leaves_no_trace(tmp_path):
    with folder(tmp_path / "new") as run:
        run.stage(prompts(1))
    assert not (tmp_path / "new").exists()
    with folder(tmp_path / "new") as run:
        run.configure(config())
    assert (tmp_path / "new").exists()


def test_a_run_that_was_there_before_is_not_abandoned(tmp_path):
    with folder(tmp_path) as run:
        run.configure(config(rounds=1))
    with folder(tmp_path) as run:
        run.abandon()
        assert run.configured


def test_ids_that_utf8_cannot_hold_are_staged(tmp_path):
    prompt = Prompt.plain("x", id="\ud800")
    with folder(tmp_path) as run:
        assert run.stage([(prompt.id, prompt)]) == 1


def test_an_abandoned_run_leaves_the_folder_to_any_other(tmp_path):
    with folder(tmp_path) as run:
        run.configure(config(rounds=1))
        run.abandon()
        run.refuse_other(config(rounds=2))
        assert not run.configured


def test_text_that_utf8_cannot_hold_survives(tmp_path):
    prompt = Prompt.plain("\ud800 \u202e \x00", id="p")
    with folder(tmp_path) as run:
        run.stage([("p", prompt)])
        assert list(run.pending()) == [(0, prompt)]


def test_facts_are_remembered(tmp_path):
    with folder(tmp_path) as run:
        assert run.fact("quarantined") is None
        run.remember("quarantined", "3")
        run.remember("quarantined", "4")
    with folder(tmp_path) as run:
        assert run.fact("quarantined") == "4"


def test_a_folder_of_another_configuration_is_refused_with_the_difference(tmp_path):
    with folder(tmp_path) as run:
        run.refuse_other(config(rounds=4, verifier="offline"))
        run.configure(config(rounds=4, verifier="offline"))
        run.refuse_other(config(rounds=4, verifier="offline"))
        with pytest.raises(InputError) as error:
            run.refuse_other(config(rounds=2, proposer="offline"))
    text = str(error.value)
    assert "rounds: made with 4, asked for 2" in text
    assert 'verifier: made with "offline", asked for not set' in text
    assert 'proposer: made with not set, asked for "offline"' in text
    assert read_config(tmp_path).identity == {"rounds": 4, "verifier": "offline"}


def test_options_that_change_no_result_may_change(tmp_path):
    with folder(tmp_path) as run:
        run.configure(config(sources=("a", "b")))
        again = RunConfig(
            command="refine", identity={"sources": ["a", "b"]}, options={"at_once": 9}
        )
        run.refuse_other(again)
        run.configure(again)
    assert read_config(tmp_path).options == {"at_once": 9}


def test_two_processes_never_work_on_one_run(tmp_path):
    with folder(tmp_path), pytest.raises(StorageError, match="another process"):
        folder(tmp_path)
    folder(tmp_path).__exit__(None, None, None)


def test_no_run_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no run here"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_config(tmp_path)


def test_a_file_where_the_folder_should_be_is_said_plainly(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(StorageError, match="run"):
        folder(tmp_path / "run")
    with pytest.raises(StorageError, match="run"):
        folder(tmp_path / "run" / "below")


def test_state_of_another_version_is_refused(tmp_path):
    folder(tmp_path).__exit__(None, None, None)
    db = sqlite3.connect(tmp_path / "state.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StorageError, match="another version"):
        folder(tmp_path)


def test_a_full_disk_is_a_storage_error(tmp_path):
    with folder(tmp_path) as run:
        run.stage(prompts(1))
        run._db.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StorageError, match="cannot be written"):
            run.store(0, "x" * 1_000_000, complete=True)


values = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=4)


@given(values, values)
def test_differences_are_empty_exactly_when_nothing_differs(made, asked):
    assert (differences(made, asked) == []) == (made == asked)
