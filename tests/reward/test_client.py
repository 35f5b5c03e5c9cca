"""The client, against real servers and against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.reward.server.rig import TOKEN, Always, Lengths, served
from uppertail.checks import Words
from uppertail.errors import InputError, ModelUnusable
from uppertail.reward import Carried, RewardFunction, RubricScorer
from uppertail.reward.adapters.trl import trl_reward
from uppertail.reward.client import RemoteScorer, remote_reward
from uppertail.reward.sending import parts_of
from uppertail.reward.server.limits import Limits
from uppertail.reward.server.run import listen
from uppertail.reward.shaping import shape_named
from uppertail.score.interface import Reward, Rollout
from uppertail.types import Criterion, Message, Prompt, Rubric
from uppertail.verify.offline import OfflineVerifier

RUBRIC = Rubric(
    prompt_id="p",
    criteria=(
        Criterion(text="At least two words.", weight=2, check=Words(at_least=2)),
        Criterion(text="Too long.", weight=-1, kind="hard_rule", check=Words(at_least=5)),
    ),
)
JUDGED_BY_NOBODY = Rubric(prompt_id="p", criteria=(Criterion(text="The response is kind."),))


def rollout(text: str, *, rubric: Rubric | None = RUBRIC, group: str = "p") -> Rollout:
    messages = (Message(role="system", content="Be kind."), Message(role="user", content="Speak."))
    return Rollout(
        prompt=Prompt(id="p", messages=messages), completion=text, rubric=rubric, group=group
    )


ROLLOUTS = (
    rollout("one"),
    rollout("one two"),
    rollout("one two three four five six"),
    rollout("", group="q"),
    rollout("<think>one two</think>three", group="q"),
    rollout("kind words", rubric=JUDGED_BY_NOBODY),
    rollout("no rubric at all", rubric=None),
)


def exact() -> RubricScorer:
    return RubricScorer(OfflineVerifier(), Carried())


def values(rewards: tuple[Reward, ...]) -> list[float | None]:
    return [reward.value for reward in rewards]


async def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_a_remote_scorer_gives_what_the_local_one_gives():
    local = await exact().score(ROLLOUTS)
    async with served(exact()) as rig, RemoteScorer(rig.url, batch=2) as remote:
        found = await remote.score(ROLLOUTS)
    assert found == local
    assert values(found) == [0.0, 1.0, 0.5, 0.0, 0.0, None, None]
    assert all(reward.why for reward in found if reward.value is None)


async def test_a_reward_function_takes_it_for_a_local_one():
    async with served(exact()) as rig:
        async with RemoteScorer(rig.url) as remote:
            batch = await RewardFunction(remote, deadline_s=30)(ROLLOUTS)
        local = await RewardFunction(exact())(ROLLOUTS)
    assert batch.values == local.values
    assert batch.facts.whys == local.facts.whys
    assert [one.pass_rate for one in batch.facts.criteria] == [
        one.pass_rate for one in local.facts.criteria
    ]


async def test_a_remote_reward_serves_callers_that_cannot_await():
    def call(url: str) -> list[float | None]:
        with remote_reward(url, deadline_s=30, shape=shape_named("rank")) as reward:
            return reward.score_now(ROLLOUTS[:3]).values

    async with served(exact()) as rig:
        assert await asyncio.to_thread(call, rig.url) == [0.0, 1.0, 0.5]


async def test_a_trainers_adapter_takes_the_server_for_a_local_reward():
    rubric = [{"criterion": "Two words.", "check": {"check": "words", "at_least": 2}}]
    async with served(exact()) as rig, remote_reward(rig.url, deadline_s=30) as fn:
        reward = trl_reward(fn)
        found = await reward(
            ["Speak."] * 3, ["one", "one two", "one two"], rubric=[rubric, rubric, None]
        )
        await asyncio.to_thread(reward.close)
    assert found == [0.0, 1.0, None]


async def test_criteria_stay_away_where_they_are_not_wanted():
    async with served(exact()) as rig, RemoteScorer(rig.url, detail=False) as remote:
        (reward,) = await remote.score([rollout("one two")])
    assert (reward.value, reward.judged) == (1.0, ())
    assert reward.score is not None


async def test_an_empty_batch_asks_nobody():
    scorer = Lengths()
    async with served(scorer) as rig, RemoteScorer(rig.url) as remote:
        assert await remote.score([]) == ()
    assert not scorer.asked


async def test_lone_surrogates_travel_written_out():
    scorer = Lengths()
    broken = Rubric(prompt_id="p", criteria=(Criterion(text="b\udc00"),))
    async with served(scorer) as rig, RemoteScorer(rig.url) as remote:
        await remote.score([rollout("a\ud800", rubric=broken)])
    assert scorer.asked[0].completion == "a\\ud800"


async def test_sets_of_rubrics_are_asked_for_by_name():
    async with (
        served({"a": Lengths(), "b": Always(Reward(value=0.25))}) as rig,
        RemoteScorer(rig.url, rubrics="a") as a,
        RemoteScorer(rig.url, rubrics="b") as b,
    ):
        answers = await asyncio.gather(*(one.score([rollout("abc")]) for one in (a, b, a, b)))
    assert [values(answer) for answer in answers] == [[0.3], [0.25], [0.3], [0.25]]
    assert (a.name, b.name) == (f"server {rig.url}, rubrics a", f"server {rig.url}, rubrics b")


async def test_the_right_token_opens_and_a_wrong_one_stops_the_run():
    async with served(token=TOKEN) as rig:
        for environ, said in (({}, "has no token"), ({"T": "wrong"}, "has a wrong token")):
            async with RemoteScorer(rig.url, token_env="T", environ=environ) as remote:
                with pytest.raises(ModelUnusable, match=f"T {said}"):
                    await remote.score([rollout("abc")])
        async with RemoteScorer(rig.url, environ={"UPPERTAIL_TOKEN": TOKEN}) as remote:
            assert values(await remote.score([rollout("abc")])) == [0.3]


async def test_something_else_at_the_address_stops_the_run():
    async with served() as rig, RemoteScorer(f"{rig.url}/v1") as remote:
        with pytest.raises(ModelUnusable, match="scores rollouts"):
            await remote.score([rollout("abc")])


@pytest.mark.parametrize(
    "url", ["rewards:8000", "ftp://rewards", "http://", "http://u:secret@rewards"]
)
def test_an_address_that_is_none_is_refused_without_its_secret(url):
    with pytest.raises(InputError) as refused:
        RemoteScorer(url)
    assert "secret" not in str(refused.value)


async def test_a_request_that_the_server_refuses_is_unscored_with_its_reason():
    empty = Rollout(prompt=Prompt.plain(" "), completion="x")
    async with served() as rig, RemoteScorer(rig.url) as remote:
        (reward,) = await remote.score([empty])
    assert reward.value is None
    assert "$.rollouts[0].prompt[0].content" in reward.why


async def test_a_batch_that_is_too_large_for_the_server_goes_in_halves():
    async with served(limits=Limits(batch=2)) as rig, RemoteScorer(rig.url) as remote:
        found = await remote.score([rollout("x" * n) for n in range(1, 8)])
    assert values(found) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


async def test_one_rollout_that_is_too_large_is_unscored_and_the_others_are_not():
    limits = Limits(body_bytes=2000)
    async with served(limits=limits) as rig, RemoteScorer(rig.url) as remote:
        found = await remote.score([rollout("abc"), rollout("x" * 3000), rollout("a")])
    assert values(found) == [0.3, None, 0.1]
    assert "2000 bytes" in found[1].why


async def test_many_batches_at_a_full_server_are_all_scored_in_the_end():
    rollouts = [rollout("x" * (n % 9 + 1), group=str(n)) for n in range(40)]
    limits = Limits(in_flight=4, batch=4)
    async with served(limits=limits) as rig, RemoteScorer(rig.url, batch=4) as remote:
        found = await remote.score(rollouts, deadline=await in_seconds(60))
    assert values(found) == [(n % 9 + 1) / 10 for n in range(40)]


async def test_what_the_server_does_not_score_in_time_is_unscored():
    async with served(Lengths(wait=asyncio.Event().wait)) as rig, RemoteScorer(rig.url) as remote:
        found = await remote.score([rollout("a")], deadline=await in_seconds(0.2))
    assert values(found) == [None]
    assert "late" in found[0].why


async def test_a_deadline_that_is_over_asks_nobody():
    scorer = Lengths()
    async with served(scorer) as rig, RemoteScorer(rig.url) as remote:
        found = await remote.score([rollout("a")], deadline=await in_seconds(-1))
    assert values(found) == [None]
    assert not scorer.asked


async def test_a_server_that_is_gone_leaves_the_batch_unscored_at_the_deadline():
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    async with RemoteScorer(f"http://127.0.0.1:{port}") as remote:
        found = await remote.score([rollout("a")], deadline=await in_seconds(0.5))
        patient = RemoteScorer(f"http://127.0.0.1:{port}", patience_s=0.3)
        again = await patient.score([rollout("a")])
        await patient.aclose()
    assert values(found + again) == [None, None]
    assert "Connection refused" in found[0].why


async def test_a_server_that_dies_in_mid_batch_is_asked_again_when_it_is_back():
    first, second = Lengths(wait=asyncio.Event().wait), Lengths()
    async with served(first, limits=Limits(drain_s=0)) as rig:
        remote = RemoteScorer(rig.url)
        asked = asyncio.create_task(remote.score([rollout("abc")], deadline=await in_seconds(60)))
        await first.began.wait()
    port = int(rig.url.rpartition(":")[2])
    async with served(second, port=port):
        assert values(await asked) == [0.3]
    await remote.aclose()


async def test_a_server_that_comes_back_with_another_scorer_stops_the_run():
    async with served(Lengths(name="judge-1")) as rig:
        remote = RemoteScorer(rig.url)
        await remote.score([rollout("abc")])
    async with served(Lengths(name="judge-2"), port=int(rig.url.rpartition(":")[2])):
        with pytest.raises(ModelUnusable, match="'judge-1' and now scores as 'judge-2'"):
            await remote.score([rollout("abc")])
    await remote.aclose()


def nowhere() -> str:
    """Return an address where nothing listens."""
    with listen("127.0.0.1", 0) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_a_server_that_is_there_passes_the_check_without_work():
    scorer = Lengths()
    environ = {"UPPERTAIL_TOKEN": TOKEN}
    async with served(scorer, token=TOKEN) as rig, RemoteScorer(rig.url, environ=environ) as remote:
        await remote.check()
    assert not scorer.asked


async def test_the_check_names_the_address_and_what_to_do_where_nothing_listens():
    url = nowhere()
    async with RemoteScorer(url) as remote:
        with pytest.raises(ModelUnusable, match=f"{url} does not answer: .*`uppertail serve`"):
            await remote.check()


async def test_the_check_tells_a_wrong_token_another_server_and_an_unknown_set_of_rubrics():
    async with served(token=TOKEN) as rig:
        for url, environ, rubrics, said in (
            (rig.url, {"UPPERTAIL_TOKEN": "wrong"}, "", "UPPERTAIL_TOKEN has a wrong token"),
            (f"{rig.url}/v1", {"UPPERTAIL_TOKEN": TOKEN}, "", "scores rollouts"),
            (rig.url, {"UPPERTAIL_TOKEN": TOKEN}, "law", "refuses us: .*'law'"),
        ):
            async with RemoteScorer(url, rubrics=rubrics, environ=environ) as remote:
                with pytest.raises(ModelUnusable, match=said):
                    await remote.check()


async def test_what_the_check_learns_of_the_scorer_holds_for_the_run():
    async with served(Lengths(name="judge-1")) as rig:
        remote = RemoteScorer(rig.url)
        await remote.check()
    async with served(Lengths(name="judge-2"), port=int(rig.url.rpartition(":")[2])):
        with pytest.raises(ModelUnusable, match="'judge-1' and now scores as 'judge-2'"):
            await remote.score([rollout("abc")])
    await remote.aclose()


def test_a_remote_reward_is_checked_where_that_is_asked():
    url = nowhere()
    with pytest.raises(ModelUnusable, match=url):
        remote_reward(url, check=True)
    remote_reward(url).close()


async def test_a_server_that_goes_away_is_said_once_and_its_return_once(caplog):
    caplog.set_level("WARNING", logger="uppertail.reward")
    async with served() as rig:
        remote = RemoteScorer(rig.url, batch=1)
        await remote.score([rollout("abc")])
    asked = [rollout("abc", group=str(n)) for n in range(4)]
    lost = await remote.score(asked, deadline=await in_seconds(0.6))
    assert values(lost) == [None] * 4
    (gone,) = [record.getMessage() for record in caplog.records]
    assert f"the reward server {rig.url} does not answer: " in gone
    assert "asking again until the batch is due, in" in gone
    async with served(port=int(rig.url.rpartition(":")[2])):
        assert values(await remote.score(asked)) == [0.3] * 4
    await remote.aclose()
    assert [record.getMessage() for record in caplog.records][1:] == [
        f"the reward server {rig.url} answers again"
    ]


Handler = Callable[[int, dict], web.Response]


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """Serve answers that `handler` makes from the number of the request and its body."""
    seen = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal seen
        seen += 1
        return handler(seen, await request.json())

    app = web.Application()
    app.router.add_post("/score", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def scored(body: dict, **fields: object) -> web.Response:
    results = [{"value": 0.5} for _ in body["rollouts"]]
    return web.json_response({"results": results, "scorer": "s", **fields})


def says(status: int) -> Handler:
    return lambda _, body: web.Response(status=status)


async def test_a_full_server_passes_the_check_and_one_that_shuts_down_does_not():
    async with answering(says(429)) as url, RemoteScorer(url) as full:
        await full.check()
    async with answering(says(503)) as url, RemoteScorer(url) as closing:
        with pytest.raises(ModelUnusable, match="does not answer: HTTP 503"):
            await closing.check()


async def test_a_page_that_answers_everything_is_no_reward_server():
    def handler(_: int, body: dict) -> web.Response:
        return web.Response(body=b"<html>welcome</html>")

    async with answering(handler) as url, RemoteScorer(url) as remote:
        with pytest.raises(ModelUnusable, match=f"nothing at {url} scores rollouts: .*read"):
            await remote.check()


async def test_a_full_server_is_not_said_to_be_gone(caplog):
    def handler(number: int, body: dict) -> web.Response:
        return web.Response(status=429) if number < 3 else scored(body)

    async with answering(handler) as url, RemoteScorer(url) as remote:
        assert values(await remote.score([rollout("a")])) == [0.5]
    assert not caplog.records


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_may_pass_is_asked_again_after_the_pause_that_the_server_asked_for(status):
    times = []

    def handler(number: int, body: dict) -> web.Response:
        times.append(asyncio.get_running_loop().time())
        if number < 3:
            return web.Response(status=status, headers={"Retry-After": "0.2"})
        return scored(body)

    async with answering(handler) as url, RemoteScorer(url) as remote:
        found = await remote.score([rollout("a")], deadline=await in_seconds(60))
    assert values(found) == [0.5]
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(times))


async def test_the_server_is_told_how_much_time_is_left_and_only_of_a_real_deadline():
    told = []

    def handler(_: int, body: dict) -> web.Response:
        told.append(body["deadline_s"])
        return scored(body)

    async with answering(handler) as url, RemoteScorer(url) as remote:
        await remote.score([rollout("a")], deadline=await in_seconds(10))
        await remote.score([rollout("a")])
    assert 9 < told[0] < 10
    assert told[1] is None


POISON = {
    "nothing": b"",
    "no JSON": b"<html>busy</html>",
    "half an answer": b'{"results": [{"value": 0.5',
    "a list": b"[0.5]",
    "no results": b"{}",
    "a word for a number": b'{"results": [{"value": "high"}]}',
    "truth for a number": b'{"results": [{"value": true}]}',
    "no number": b'{"results": [{"value": NaN}]}',
    "a number beyond all bounds": b'{"results": [{"value": 1e999}]}',
    "too many": b'{"results": [{"value": 0.5}, {"value": 0.5}]}',
    "too few": b'{"results": []}',
    "null and no reason": b'{"results": [{"value": null}]}',
    "an unknown outcome": b'{"results": [{"value": 1.0, "judged": [{"criterion": {"text": "a"},'
    b' "outcome": {"type": "perhaps"}}]}]}',
    "nested too deep": b'{"results": ' + b"[" * 100_000,
    "broken UTF-8": b'{"results": [{"value": null, "why": "\xff"}]}',
}


@pytest.mark.parametrize("case", POISON)
async def test_an_answer_that_cannot_be_read_is_never_a_number(case):
    def handler(_: int, body: dict) -> web.Response:
        return web.Response(body=POISON[case], content_type="application/json")

    async with answering(handler) as url, RemoteScorer(url) as remote:
        (found,) = await remote.score([rollout("a")], deadline=await in_seconds(10))
    assert found.value is None
    assert found.why


async def test_a_refusal_in_words_of_its_own_is_quoted():
    def handler(_: int, body: dict) -> web.Response:
        return web.Response(status=400, text="<html>Bad gateway day</html>")

    async with answering(handler) as url, RemoteScorer(url) as remote:
        (found,) = await remote.score([rollout("a")])
    assert found.value is None
    assert "Bad gateway day" in found.why


async def test_the_place_of_the_poison_is_named():
    def handler(_: int, body: dict) -> web.Response:
        return web.json_response({"results": [{"value": 0.1}, {"value": "high"}]})

    async with answering(handler) as url, RemoteScorer(url) as remote:
        found = await remote.score([rollout("a")] * 2)
    assert values(found) == [None, None]
    assert "$.results[1].value" in found[0].why


async def test_unknown_fields_of_a_newer_server_do_no_harm():
    newer: Handler = lambda _, body: scored(body, invented=1)  # noqa: E731
    async with answering(newer) as url, RemoteScorer(url) as remote:
        assert values(await remote.score([rollout("a")])) == [0.5]


GROUPS = st.lists(st.sampled_from("abc"), max_size=40)


@given(groups=GROUPS, most=st.integers(min_value=1, max_value=6))
def test_requests_hold_whole_groups_in_order_and_are_no_larger_than_they_must(groups, most):
    rollouts = [rollout(str(n), group=group) for n, group in enumerate(groups)]
    parts = [list(part) for part in parts_of(rollouts, most)]
    assert [one for part in parts for one in part] == rollouts
    assert all(parts)
    for part in parts:
        assert len(part) <= most or len({one.group for one in part}) == 1
    for left, right in pairwise(parts):
        assert left[-1].group != right[0].group


def test_the_wire_reads_rewards_as_they_were_written():
    reward = Reward(value=None, why="late", parts=(("a", 1.0), ("b", None)))
    assert msgspec.json.decode(msgspec.json.encode(reward), type=Reward) == reward
