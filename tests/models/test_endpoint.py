import asyncio
import logging

import pytest

from tests.models.rig import BROKEN, KEY, REFUSED, Rig, error, in_turn, said
from uppertail.errors import CallFailed, InputError, ModelUnusable
from uppertail.models.failures import Failure, HttpAnswer


async def test_a_call_is_sent_and_its_reply_read() -> None:
    rig = Rig(in_turn(said("fine", prompt_tokens=3, completion_tokens=1)), seconds=2.0)
    reply = await rig.ask(temperature=0.0)
    assert (reply.text, reply.finish, reply.seconds) == ("fine", "stop", 2.0)
    assert rig.wires.urls == ["http://a/v1/chat/completions"]
    assert rig.wires.bodies[0]["temperature"] == 0.0
    assert rig.wires.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert rig.endpoint.name == "m@http://a/v1"


async def test_a_server_without_a_key_gets_no_authorization() -> None:
    rig = Rig(in_turn(said()), key_env="ANOTHER_KEY")
    await rig.ask()
    assert "Authorization" not in rig.wires.headers[0]


async def test_a_missing_key_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InputError, match="ANOTHER_KEY"):
        Rig(in_turn(said()), key_env="ANOTHER_KEY", key_required=True)


@pytest.mark.parametrize(
    "passing", [error(500), error(408), BROKEN, HttpAnswer(200, {}, b'{"choices": [{"mess')]
)
async def test_a_failure_that_passes_is_tried_again(passing: HttpAnswer | Failure) -> None:
    rig = Rig(in_turn(passing, passing, said()))
    assert (await rig.ask()).text == "yes"
    assert rig.tries == 3
    assert len(rig.clock.slept) == 2


async def test_time_spent_waiting_is_not_the_calls_time() -> None:
    rig = Rig(in_turn(error(500), said()), seconds=1.0)
    assert (await rig.ask()).seconds == 1.0
    assert rig.clock.now > 2.0


async def test_a_call_is_given_up_after_its_attempts() -> None:
    rig = Rig(in_turn(error(500, "the pump is broken")), attempts=4)
    with pytest.raises(CallFailed, match=r"m@http://a/v1: HTTP 500: the pump.*tried 4 times"):
        await rig.ask()
    assert rig.tries == 4


async def test_retry_after_holds_every_call_of_the_model() -> None:
    rig = Rig(in_turn(error(429, Retry_After="9"), said()))
    await rig.ask()
    assert rig.clock.now >= 9.0
    assert rig.tries == 2


@pytest.mark.parametrize("status", [408, 500, 502, 504])
async def test_a_server_error_is_followed_by_the_pause_that_it_asks_for(status: int) -> None:
    rig = Rig(in_turn(error(status, Retry_After="9"), said()))
    assert (await rig.ask()).text == "yes"
    assert 9.0 <= rig.clock.now <= 9.5
    assert rig.tries == 2


async def test_no_pause_is_longer_than_two_minutes() -> None:
    rig = Rig(in_turn(error(500, Retry_After="86400"), said()))
    await rig.ask()
    assert 120.0 <= rig.clock.now <= 120.5


async def test_a_gateway_whose_servers_are_down_is_waited_for() -> None:
    rig = Rig(in_turn(error(404, "There are no healthy deployments for this model"), said()))
    assert (await rig.ask()).text == "yes"


async def test_a_busy_server_is_waited_for_beyond_the_attempts() -> None:
    rig = Rig(in_turn(*[error(429)] * 10, said()), attempts=2)
    assert (await rig.ask()).text == "yes"


async def test_a_server_that_stays_busy_ends_the_call() -> None:
    rig = Rig(in_turn(error(429, Retry_After="20")), attempts=2)
    with pytest.raises(CallFailed, match="HTTP 429"):
        await rig.ask()
    assert rig.clock.now >= 60.0


async def test_a_busy_server_is_pressed_less() -> None:
    rig = Rig(in_turn(error(429), said()), concurrency=8)
    await rig.ask()
    assert rig.limiter.allowed < 8


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_stops_the_run_by_the_name_of_its_variable(status: int) -> None:
    rig = Rig(in_turn(error(status, f"Incorrect API key provided: {KEY}")))
    message = rf"environment variable A_KEY: HTTP {status}: Incorrect API key provided: \[key\]"
    with pytest.raises(ModelUnusable, match=message) as caught:
        await rig.ask()
    assert KEY not in str(caught.value)
    assert rig.tries == 1


DENIALS = [error(403, "Your prompt may not be sent"), error(400, "the text says: invalid API key")]


@pytest.mark.parametrize("denial", DENIALS)
async def test_once_a_key_has_worked_a_denial_is_about_the_call(denial: HttpAnswer) -> None:
    rig = Rig(in_turn(said(), denial, said()))
    await rig.ask("first")
    with pytest.raises(CallFailed, match=r"HTTP 40[03]: .*\(tried 1 times\)"):
        await rig.ask("second")
    assert (await rig.ask("third")).text == "yes"


async def test_denials_that_go_on_stop_the_run() -> None:
    rig = Rig(in_turn(said(), DENIALS[0]), seconds=10.0)
    await rig.ask("first")
    for _ in range(15):
        with pytest.raises(CallFailed):
            await rig.ask()
    with pytest.raises(ModelUnusable, match="the last 16 calls were all lost"):
        await rig.ask()


async def test_a_key_that_stops_working_stops_the_run() -> None:
    rig = Rig(in_turn(said(), error(401, "revoked")))
    await rig.ask("first")
    with pytest.raises(ModelUnusable, match="revoked"):
        await rig.ask("second")


async def test_a_key_that_is_not_set_but_wanted_is_named() -> None:
    rig = Rig(in_turn(error(401)), key_env="ANOTHER_KEY")
    with pytest.raises(ModelUnusable, match="expected one in ANOTHER_KEY"):
        await rig.ask()


async def test_a_server_that_wants_a_key_where_none_was_named_says_so() -> None:
    rig = Rig(in_turn(error(401)), key_env=None)
    with pytest.raises(ModelUnusable, match="name its environment variable in key_env"):
        await rig.ask()


@pytest.mark.parametrize("status", [400, 404, 429, 500])
async def test_no_message_repeats_the_key(status: int) -> None:
    rig = Rig(in_turn(error(status, "x" * 285 + KEY)), attempts=1, patience_seconds=1e-9)
    with pytest.raises((CallFailed, ModelUnusable)) as caught:
        await rig.ask()
    assert KEY[:8] not in str(caught.value)


async def test_a_key_that_is_a_plain_word_does_not_spoil_replies() -> None:
    rig = Rig(in_turn(said("a token", prompt_tokens=3)), environ={"A_KEY": "token"})
    reply = await rig.ask()
    assert (reply.text, reply.usage.prompt_tokens) == ("a token", 3)


async def test_an_unknown_model_stops_the_run_with_model_and_server() -> None:
    rig = Rig(in_turn(error(404, "The model `m` does not exist")))
    with pytest.raises(ModelUnusable, match=r"m@http://a/v1 cannot be used: .*does not exist"):
        await rig.ask()


async def test_a_request_that_cannot_succeed_is_lost_at_once() -> None:
    rig = Rig(in_turn(error(400, "maximum context length is 8192 tokens")))
    with pytest.raises(CallFailed, match="longer than the model's context"):
        await rig.ask()
    assert rig.tries == 1


async def test_a_filtered_request_gives_a_filtered_reply() -> None:
    rig = Rig(in_turn(error(400, "content_filter")))
    assert (await rig.ask()).finish == "content_filter"


def picky(url: str, body: dict[str, object]) -> HttpAnswer:
    """Answer as a reasoning model does that takes no sampling parameter."""
    if "temperature" in body:
        return error(400, "Unsupported value: 'temperature' does not support 0.0")
    if "max_tokens" in body:
        return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.")
    return said()


async def test_a_model_that_takes_no_temperature_is_asked_without_from_then_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(picky, attempts=1)
    with caplog.at_level(logging.WARNING):
        await rig.ask(temperature=0.0, max_tokens=9)
        assert rig.tries == 3
        await rig.ask(temperature=0.0, max_tokens=9)
    assert rig.tries == 4
    assert rig.wires.bodies[-1]["max_completion_tokens"] == 9
    assert rig.clock.slept == []
    assert ["temperature" in r.getMessage() for r in caplog.records] == [True, False]


async def test_calls_in_flight_learn_from_the_first_that_was_refused() -> None:
    rig = Rig(picky, attempts=1)
    replies = await asyncio.gather(*(rig.ask(f"{n}", temperature=0.0) for n in range(8)))
    assert [reply.text for reply in replies] == ["yes"] * 8
    assert rig.tries <= 16


async def test_a_model_that_complains_all_the_same_loses_the_call() -> None:
    rig = Rig(in_turn(error(400, "Unsupported parameter: 'top_p'")))
    with pytest.raises(CallFailed, match="top_p"):
        await rig.ask(top_p=0.9)
    assert rig.tries == 2


async def test_a_server_that_was_never_there_stops_the_run_soon() -> None:
    rig = Rig(in_turn(REFUSED))
    message = r"nothing answers at http://a/v1: Connection refused; is the server running\?"
    with pytest.raises(ModelUnusable, match=message):
        await rig.ask()
    assert rig.tries == 3
    assert rig.clock.now < 2.0


async def test_a_server_that_comes_back_is_waited_for() -> None:
    rig = Rig(in_turn(said(), *[REFUSED] * 9, said()), attempts=1)
    await rig.ask("first")
    assert (await rig.ask("second")).text == "yes"


async def test_a_server_that_stays_away_stops_the_run() -> None:
    rig = Rig(in_turn(said(), REFUSED), patience_seconds=30.0)
    await rig.ask("first")
    with pytest.raises(ModelUnusable, match=r"nothing has answered at http://a/v1 for 3\d s"):
        await rig.ask("second")


async def test_many_lost_calls_in_a_row_stop_the_run() -> None:
    rig = Rig(in_turn(error(502, "bad gateway")), attempts=2, seconds=10.0)
    for _ in range(15):
        with pytest.raises(CallFailed):
            await rig.ask()
    with pytest.raises(ModelUnusable, match="the last 16 calls were all lost"):
        await rig.ask()


async def test_lost_calls_among_answered_ones_do_not() -> None:
    def every_other(url: str, body: dict[str, object]) -> HttpAnswer:
        return error(502) if "poison" in str(body) else said()

    rig = Rig(every_other, attempts=1, seconds=10.0)
    for _ in range(20):
        with pytest.raises(CallFailed):
            await rig.ask("poison")
        await rig.ask("fine")


async def test_a_cancelled_call_gives_everything_back() -> None:
    rig = Rig(in_turn(said()), concurrency=1)
    call = asyncio.create_task(rig.ask())
    await asyncio.sleep(0)
    assert rig.limiter.in_flight == 1
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert rig.limiter.in_flight == 0
    assert (await rig.ask()).text == "yes"


async def test_tokens_that_the_server_counted_replace_the_estimate() -> None:
    rig = Rig(in_turn(said(prompt_tokens=3000, completion_tokens=3000)), tpm=6000)
    await rig.ask()
    await rig.ask()
    assert rig.clock.now > 55.0
