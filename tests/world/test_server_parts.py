"""The parts of the server that need no socket: cache, faults, latencies, answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.errors import CallFailed, InputError
from uppertail.world import GREAT, World
from uppertail.world.server_answers import WorldAnswers, hashed_answer, messages_of
from uppertail.world.server_cache import PrefixCache, block_keys, tokens
from uppertail.world.server_faults import HOSTILE, KINDS, LASTING, Faults, Latency, spoilt


def body(*contents, model="verifier", **fields):
    return {"model": model, "messages": [{"role": "user", "content": c} for c in contents]} | fields


def held(cache, text):
    return cache.found(block_keys(text))


class TestPrefixCache:
    def test_finds_whole_blocks_of_a_shared_beginning(self):
        cache = PrefixCache(100)
        cache.add(block_keys("a" * 64 + "b" * 64 + "c" * 64))
        assert held(cache, "a" * 64 + "b" * 64 + "d" * 64) == 32
        assert held(cache, "a" * 64 + "b" * 63) == 16
        assert held(cache, "b" * 64) == 0

    def test_a_block_counts_only_after_the_same_beginning(self):
        cache = PrefixCache(100)
        cache.add(block_keys("a" * 64 + "b" * 64))
        assert held(cache, "x" * 64 + "b" * 64) == 0

    def test_the_end_of_the_oldest_prompt_is_dropped_first(self):
        cache = PrefixCache(3)
        cache.add(block_keys("a" * 128))
        cache.add(block_keys("b" * 128))
        assert len(cache) == 3
        assert held(cache, "a" * 128) == 16
        assert held(cache, "b" * 128) == 32

    def test_without_blocks_nothing_is_held(self):
        cache = PrefixCache(0)
        cache.add(block_keys("a" * 640))
        assert held(cache, "a" * 640) == 0

    @given(st.text(max_size=300), st.text(max_size=300))
    def test_no_more_is_found_than_two_prompts_share(self, first, second):
        cache = PrefixCache(1000)
        cache.add(block_keys(first))
        shared = 0
        while shared < min(len(first), len(second)) and first[shared] == second[shared]:
            shared += 1
        assert held(cache, second) == shared // 64 * 16

    def test_four_characters_are_a_token(self):
        assert [tokens(t) for t in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


class TestFaults:
    def test_hits_as_many_requests_as_it_is_told(self):
        faults = Faults(rates={"busy": 0.1, "refusal": 0.2}, seed=3)
        drawn = [faults.of(f"{i:016x}", 1) for i in range(4000)]
        assert 0.17 < drawn.count("refusal") / 4000 < 0.23
        assert 0.06 < drawn.count("busy") / 4000 < 0.10  # of those that are not refused

    def test_every_kind_happens_when_they_are_even(self):
        faults = Faults.evenly(0.5)
        assert {faults.of(f"{i:016x}", 1) for i in range(2000)} == {None, *KINDS}

    def test_the_same_seed_gives_the_same_faults_and_another_seed_others(self):
        marks = [f"{i:016x}" for i in range(200)]
        drawn = [[Faults.evenly(0.5, seed=s).of(m, 1) for m in marks] for s in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]

    def test_passing_faults_are_drawn_anew_at_each_try(self):
        faults = Faults(rates={"error": 0.5})
        tries = [faults.of("00000000000000aa", attempt) for attempt in range(1, 60)]
        assert set(tries) == {None, "error"}

    def test_lasting_faults_meet_a_request_at_each_try(self):
        faults = Faults(rates={"refusal": 0.5})
        for i in range(50):
            assert len({faults.of(f"{i:016x}", attempt) for attempt in range(1, 9)}) == 1

    @pytest.mark.parametrize(
        ("rates", "says"),
        [
            pytest.param({"fire": 0.1}, "no fault is called 'fire'", id="an unknown kind"),
            pytest.param({"busy": 1.5}, "expected a share from 0 to 1", id="more than all"),
            pytest.param({"busy": 0.6, "error": 0.6}, "add up", id="more than all together"),
        ],
    )
    def test_refuses(self, rates, says):
        with pytest.raises(InputError, match=says):
            Faults(rates=rates)

    def test_a_truncated_answer_is_its_first_half(self):
        assert spoilt("truncate", "abcdef", "0") == "abc"

    def test_every_hostile_reply_holds_the_answer(self):
        for number in range(len(HOSTILE)):
            assert '{"c1": "no"}' in spoilt("hostile", '{"c1": "no"}', f"{number:016x}")

    def test_prose_holds_no_answer(self):
        assert "c1" not in spoilt("prose", '{"c1": "no"}', "0")
        assert set(LASTING) < set(KINDS)


class TestLatency:
    def test_is_proportional_to_tokens_without_spread(self):
        latency = Latency(each=1.0, prompt_token=0.01, completion_token=0.1, sigma=0.0)
        assert latency.of("m", 1, prompt=100, completion=20) == pytest.approx((1.0, 3.0))

    def test_has_the_mean_it_is_told_and_a_heavy_tail(self):
        latency = Latency(each=1.0, sigma=0.8)
        drawn = sorted(latency.of(str(i), 1, prompt=0, completion=0).decode for i in range(4000))
        assert 0.94 < sum(drawn) / 4000 < 1.06
        assert drawn[3960] > 3.5

    def test_is_the_same_for_the_same_try_and_another_for_the_next(self):
        latency = Latency(each=1.0)
        first = latency.of("m", 1, prompt=0, completion=0)
        assert latency.of("m", 1, prompt=0, completion=0) == first
        assert latency.of("m", 2, prompt=0, completion=0) != first

    def test_is_nothing_unless_told(self):
        assert Latency().of("m", 1, prompt=1000, completion=1000) == (0.0, 0.0)


class TestHashedAnswer:
    def test_gives_verdicts_for_the_ids_that_are_asked(self):
        reply = json.loads(hashed_answer(body("Answer these ids and no other: c1, c2, c4.")))
        assert list(reply) == ["c1", "c2", "c4"]
        assert set(reply.values()) <= {"yes", "no"}

    def test_gives_reasons_where_they_are_asked_for(self):
        asked = 'Use {"reason": …}. Answer these ids and no other: c1.'
        assert set(json.loads(hashed_answer(body(asked)))["c1"]) == {"reason", "answer"}

    def test_gives_a_rubric_where_the_key_criterion_is_spoken_of(self):
        items = json.loads(hashed_answer(body('Objects with "criterion" and "weight".')))
        assert 4 <= len(items) <= 7
        assert all(item["weight"] in {1, 2, 3} for item in items)

    def test_answers_anything_else_in_words_that_differ_by_request(self):
        assert hashed_answer(body("Hi")) != hashed_answer(body("Ho"))

    @pytest.mark.parametrize(
        "bad",
        [{}, {"messages": []}, {"messages": ["hi"]}, {"messages": [{"role": "x", "content": "y"}]}],
    )
    def test_refuses_what_holds_no_messages(self, bad):
        with pytest.raises(CallFailed, match="expected"):
            messages_of(bad)


class TestWorldAnswers:
    async def test_policies_answer_prompts_and_draw_anew_each_time(self):
        world = World(seed=5)
        answers = WorldAnswers(world)
        asked = body(world.prompt(3).text, model="great")
        given = [await answers(asked) for _ in range(3)]
        assert given == [world.respond(3, GREAT, sample).text for sample in range(3)]

    async def test_at_temperature_0_a_model_repeats_itself(self):
        world = World(seed=5)
        answers = WorldAnswers(world)
        asked = body(world.prompt(3).text, model="great", temperature=0)
        assert await answers(asked) == await answers(asked)

    async def test_a_model_that_is_not_there_is_named(self):
        with pytest.raises(CallFailed, match="no model is called 'gpt'"):
            await WorldAnswers(World())(body("Hi", model="gpt"))
