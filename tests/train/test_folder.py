"""The folder of a training run, and what is written into it."""

import json

import pytest

from uppertail.data.run_folder import read_config
from uppertail.errors import InputError, StorageError
from uppertail.models import Answer, Journal, Reply, Request
from uppertail.reward.adapters.rows import UNREADABLE
from uppertail.train.folder import TrainFolder, first_process, numbers, processes, series
from uppertail.train.record import derived, draw, line, picture
from uppertail.types import Message


def claim(folder, command, identity):
    with folder.claimed(command, identity):
        """Train nothing."""


def test_a_folder_takes_the_same_run_again_and_no_other(tmp_path):
    folder = TrainFolder(tmp_path / "run")
    claim(folder, "train dpo", {"beta": 0.1, "models": ("a",)})
    folder.start_log([{"step": 1, "loss": 0.5}])
    claim(folder, "train dpo", {"beta": 0.1, "models": ("a",)})
    with pytest.raises(InputError, match=r"beta: made with 0.1, asked for 0.2"):
        claim(folder, "train dpo", {"beta": 0.2, "models": ("a",)})
    with pytest.raises(InputError, match="command"):
        claim(folder, "train sft", {"beta": 0.1, "models": ("a",)})


def test_a_folder_in_which_nothing_was_done_takes_corrected_options(tmp_path):
    folder = TrainFolder(tmp_path / "run")
    claim(folder, "train dpo", {"beta": 0.1})
    folder.start_log([])  # as a trainer that has not made a step leaves it
    (folder.path / "checkpoint-2").mkdir()
    with Journal(folder.path / "journal.sqlite"):
        """Call nobody."""
    assert not folder.begun
    claim(folder, "train sft", {"batch": 2})
    assert read_config(folder.path).identity == {"batch": 2}


async def paid(folder):
    with Journal(folder / "journal.sqlite") as journal:
        reply = Reply(text="yes", finish="stop")
        request = Request(messages=(Message(role="user", content="well?"),), role="verifier")
        await journal.put("key", Answer(reply=reply, usd=1.0), model="m", request=request)


async def checkpoint(folder):
    (folder / "checkpoint-2").mkdir()
    (folder / "checkpoint-2" / "trainer_state.json").write_text("{}")


async def log(folder):
    TrainFolder(folder).add_log({"step": 1})


async def pools(folder):
    (folder / "round-1").mkdir()
    (folder / "round-1" / "pools.jsonl").write_text("{}")


@pytest.mark.parametrize("done", [paid, checkpoint, log, pools])
async def test_what_was_paid_for_or_trained_keeps_the_folder(done, tmp_path):
    folder = TrainFolder(tmp_path / "run")
    claim(folder, "train dpo", {"beta": 0.1})
    await done(folder.path)
    with pytest.raises(InputError, match="made by another command"):
        claim(folder, "train dpo", {"beta": 0.2})


def test_a_folder_at_work_is_not_taken_over_though_nothing_is_done_yet(tmp_path):
    folder = TrainFolder(tmp_path / "run")
    with folder.claimed("train dpo", {"beta": 0.1}):
        for beta in (0.1, 0.2):
            with pytest.raises(StorageError, match="another process"):
                claim(TrainFolder(tmp_path / "run"), "train dpo", {"beta": beta})
    claim(folder, "train dpo", {"beta": 0.2})


def test_a_folder_with_other_files_is_not_written_into(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a new folder"):
        claim(TrainFolder(tmp_path), "train dpo", {})
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_only_whole_checkpoints_count_and_the_newest_of_them(tmp_path):
    folder = TrainFolder(tmp_path)
    assert folder.checkpoint() is None
    for step in (9, 10, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint-old").mkdir()
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    assert folder.checkpoint() == tmp_path / "checkpoint-10"


def test_what_is_not_finite_is_null_in_the_log(tmp_path):
    folder = TrainFolder(tmp_path)
    assert folder.read_log() == ()
    folder.start_log([{"loss": float("nan"), "step": 1}])
    folder.add_log({"loss": 0.5, "step": 2, "odd": ["x"]})
    assert folder.read_log() == (
        {"step": 1, "loss": None},
        {"step": 2, "loss": 0.5, "odd": "['x']"},
    )
    assert series(folder.read_log(), "loss") == ((2.0, 0.5),)
    assert numbers({"a": float("inf")}) == {"step": None, "a": None}


def test_only_the_first_process_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert not first_process()
    assert processes() == 8
    claim(TrainFolder(tmp_path / "run"), "train dpo", {})
    assert not (tmp_path / "run").exists()


def test_a_finished_run_says_so(tmp_path):
    folder = TrainFolder(tmp_path)
    assert not folder.finished
    folder.finish({"steps": 3})
    assert folder.finished
    assert folder.summary() == {"steps": 3}


def test_the_kl_of_an_answer_and_the_unscored_share_are_derived():
    found = derived({"kl": 0.02, "completions/mean_length": 50.0})
    assert found == {"kl_nats": pytest.approx(1.0)}
    assert derived({"kl": None, "completions/mean_length": 50.0}) == {}
    held_out = {"eval_reward": 0.4, "eval_gold/reward/unscored_share": 0.5}
    assert derived(held_out) == {"gold": 0.4, "gold_unscored": 0.5}
    lost = {"rubric/reward/unscored_share": 0.5, f"rubric/{UNREADABLE}": 0.2}
    assert derived(lost)["unscored"] == pytest.approx(0.6)
    assert derived({f"rubric/{UNREADABLE}": 1.0})["unscored"] == 1.0
    assert derived({"rubric/groups/unscored_share": 0.5}) == {}


def test_a_line_says_what_is_known_and_leaves_out_what_is_not():
    row = {"step": 3, "reward": 0.5, "kl_nats": None, "unscored": 0.0, "other": 1.0}
    assert line(row, last=10) == "step 3/10  reward 0.5  unscored 0"
    assert line({**row, "step": 3}, last=0).startswith("step 3  reward")
    assert line({"step": 3, "train_runtime": 1.0}, last=0) == ""


def test_curves_are_drawn_where_there_are_two_points(tmp_path):
    folder = TrainFolder(tmp_path)
    folder.start_log(
        {"step": s, "reward": s / 10, "gold": 1 - s / 10, "loss": 1.0} for s in range(5)
    )
    folder.add_log({"step": 5, "kl_nats": 1.0})
    draw(folder)
    drawn = {file.name for file in (tmp_path / "curves").iterdir()}
    assert drawn == {"reward.svg", "loss.svg"}
    assert "gold" in (tmp_path / "curves" / "reward.svg").read_text()
    assert picture("loss", [("train", [(1.0, 2.0), (1.0, 2.0)])]).startswith("<svg")
    assert ">-" not in picture("unscored", [("train", [(1.0, 0.0), (2.0, 0.0)])])


def test_the_configuration_reads_as_json(tmp_path):
    claim(TrainFolder(tmp_path / "run"), "train sft", {"a": None})
    held = json.loads((tmp_path / "run" / "config.json").read_text())
    assert held == {"command": "train sft", "identity": {"a": None}, "options": {}}
