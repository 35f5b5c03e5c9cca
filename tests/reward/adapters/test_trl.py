"""The adapter for TRL: its calls, by hand."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from tests.reward.adapters.test_rows import LIST
from tests.reward.adapters.tiny import Checks
from uppertail.errors import InputError
from uppertail.reward.adapters.trl import trl_reward


@dataclass
class Logs:
    """Takes what TRL hands to a reward function for logging."""

    def __post_init__(self) -> None:
        self.extra: dict[str, list[object]] = {}
        self.metrics: dict[str, float] = {}

    def call(self) -> dict[str, Any]:
        return {
            "log_extra": self.extra.__setitem__,
            "log_metric": self.metrics.__setitem__,
            "trainer_state": SimpleNamespace(global_step=7),
        }


async def test_plain_rows_are_scored_in_their_groups():
    checks = Checks()
    reward = trl_reward(checks)
    found = await reward(
        prompts=["a", "a", "b", "b"],
        completions=["one", "one two three four", "one red", ""],
        completion_ids=[[1]] * 4,
        rubric=[LIST] * 4,
        other=["x"] * 4,
    )
    assert found == [1.0, 0.0, 0.5, 0.0]
    assert [r.group for r in checks.seen[0]] == ["row 1", "row 1", "row 3", "row 3"]


async def test_conversations_json_text_and_ids_are_read():
    checks = Checks()
    reward = trl_reward(checks, rubric_column="criteria", prompt_id_column="key")
    found = await reward(
        prompts=[[{"role": "user", "content": "say"}]],
        completions=[[{"role": "assistant", "content": "one"}]],
        criteria=[json.dumps(LIST)],
        key=["k"],
    )
    assert found == [1.0]
    assert checks.seen[0][0].prompt.id == "k"


async def test_none_is_passed_on_and_logged_with_its_reason():
    logs = Logs()
    found = await trl_reward(Checks())(
        prompts=["a", "b", "c"],
        completions=["one", "two", "three"],
        rubric=[LIST, None, "{nonsense"],
        **logs.call(),
    )
    assert found == [1.0, None, None]
    assert [v["met"] for v in json.loads(str(logs.extra["rubric_verdicts"][0]))] == [True, False]
    assert logs.extra["rubric_unscored"][:2] == ["", "no rubric"]
    assert "row 3" in str(logs.extra["rubric_unscored"][2])
    assert logs.metrics == {
        "rubric/unscored_share": 0.5,
        "rubric/reward/unreadable_share": pytest.approx(1 / 3),
    }


async def test_a_data_set_without_rubrics_leaves_them_to_the_scorer():
    assert await trl_reward(Checks())(prompts=["a"], completions=["one"]) == [None]


async def test_strict_raises_at_a_row_that_cannot_be_read():
    with pytest.raises(InputError, match="row 1"):
        await trl_reward(Checks(), strict=True)(prompts=["a"], completions=["one"], rubric=["{"])


async def test_the_step_is_told_before_the_batch():
    steps: list[int] = []
    reward = trl_reward(Checks(), on_step=[steps.append])
    await reward(prompts=["a"], completions=["one"])
    await reward(prompts=["a"], completions=["one"], **Logs().call())
    assert steps == [7]


def test_trl_takes_it_for_async_and_logs_it_under_its_name():
    from trl.trainer.utils import get_callable_name, is_async_callable

    reward = trl_reward(Checks(), name="quality")
    assert is_async_callable(reward)
    assert get_callable_name(reward) == "quality"


def test_it_is_closed_on_the_loop_it_was_used_on():
    from trl.trainer.utils import shutdown_event_loop_in_daemon, start_event_loop_in_daemon

    checks = Checks()
    thread, loop, ready = start_event_loop_in_daemon("trainer")
    ready.wait()
    with trl_reward(checks) as reward:
        call = reward(prompts=["a"], completions=["one"], rubric=[LIST])
        assert asyncio.run_coroutine_threadsafe(call, loop).result() == [1.0]
    reward.close()
    assert checks.closed_on == [loop]
    shutdown_event_loop_in_daemon(thread, loop)
    loop.close()


def test_it_is_closed_where_its_loop_has_stopped_and_where_it_was_never_used():
    checks = Checks()
    loop = asyncio.new_event_loop()
    reward = trl_reward(checks)
    loop.run_until_complete(reward(prompts=["a"], completions=["one"]))
    reward.close()
    assert checks.closed_on == [loop]
    loop.run_until_complete(reward(prompts=["a"], completions=["one"]))
    loop.close()
    reward.close()
    with trl_reward(Checks()):
        pass
    assert checks.closed_on == [loop]


def test_no_trainer_is_imported_with_the_adapters():
    script = (
        "import sys, uppertail.reward.adapters.trl, uppertail.reward.adapters.verl, "
        "uppertail.reward.adapters.verl_data, uppertail.reward.adapters.openrlhf, "
        "uppertail.reward.adapters.slime, uppertail.reward.adapters.skyrl, "
        "uppertail.reward.adapters.nemo_rl, uppertail.reward.adapters.verifiers\n"
        "heavy = {'torch', 'trl', 'transformers', 'verl', 'ray', 'skyrl_gym', 'datasets', "
        "'pyarrow', 'numpy', 'pyreqwest'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
