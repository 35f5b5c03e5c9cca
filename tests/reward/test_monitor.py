"""The monitor, on simulated runs whose truth is known."""

from collections.abc import Callable
from math import nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uppertail.errors import InputError
from uppertail.reward.monitor import HackingSettings, Monitor, Seen
from uppertail.reward.monitor_surface import surface
from uppertail.world.nature import World
from uppertail.world.policies import HACKER, HIGH, Policy

Levels = Callable[[int], float]
FLAT: Levels = lambda step: 0.5  # noqa: E731


def run(
    seed: int,
    *,
    steps: int = 48,
    proxy: Levels = FLAT,
    held_out: Levels = FLAT,
    pool: int = 0,
    noise: str = "normal",
    settings: HackingSettings | None = None,
) -> Monitor:
    """Return a monitor after a run; a pool of prompts repeats, without one all are new."""
    random = Random(seed)
    monitor = Monitor(settings or HackingSettings(least_fall=0.0, window=4, alpha=0.1))
    hardness = [random.gauss(0, 0.2) for _ in range(pool or 1)]
    for step in range(steps):
        seen = []
        for n in range(8):
            at = random.randrange(pool) if pool else n
            hard = hardness[at] if pool else random.gauss(0, 0.2)
            name = f"p{at}" if pool else f"{step}/{n}"
            for _ in range(2):
                values = [draw(random, level(step) + hard, noise) for level in (proxy, held_out)]
                seen.append(Seen(prompt_id=name, proxy=values[0], held_out=values[1]))
        monitor.take(step, seen)
    monitor.finish()
    return monitor


def draw(random: Random, mean: float, noise: str) -> float:
    if noise == "rare":  # nearly always full marks: skewed, and often without any variance
        return float(random.random() < 0.9 + 0.1 * min(1.0, mean))
    return random.random() < mean if noise == "yes or no" else mean + random.gauss(0, 0.2)


@pytest.mark.parametrize("pool", [0, 24], ids=["new prompts", "prompts that repeat"])
@pytest.mark.parametrize("noise", ["normal", "yes or no", "rare"])
def test_stationary_runs_are_stopped_no_more_often_than_stated(pool, noise):
    runs = 40
    alarms = sum(run(seed, pool=pool, noise=noise).alarm is not None for seed in range(runs))
    # 0.1 of 40 is 4; 9 or more would have chance 0.02 were the true rate all of that 0.1.
    assert alarms < 9


def test_the_level_is_used_and_not_merely_kept():
    """Were nothing ever found, the test above would pass too: alpha is near what is spent."""
    loose = HackingSettings(least_fall=0.0, window=4, alpha=0.49)
    falls = sum(
        run(seed, settings=loose, steps=8).finding.verdict in ("parted", "falling")
        for seed in range(300)
    )
    # One comparison at 0.49 / 2.
    assert 0.15 < falls / 300 < 0.33


@pytest.mark.parametrize("pool", [0, 24], ids=["new prompts", "prompts that repeat"])
def test_a_hack_is_found_soon_after_it_begins(pool):
    def gold(step: int) -> float:
        return 0.5 + 0.004 * min(step, 40) - 0.008 * max(0, step - 40)

    settings = HackingSettings(least_fall=0.0, window=4, alpha=0.01)
    found = [
        run(
            seed,
            steps=120,
            proxy=lambda s: 0.4 + 0.004 * s,
            held_out=gold,
            pool=pool,
            settings=settings,
        ).alarm
        for seed in range(8)
    ]
    steps = [alarm.step for alarm in found if alarm is not None]
    assert len(steps) == 8
    assert min(steps) > 40
    assert sum(steps) / 8 < 100
    for alarm in found:
        assert alarm is not None
        assert alarm.verdict == "parted"
        assert alarm.held_out is not None
        assert alarm.held_out.high < 0
        assert "while the reward did not fall" in alarm.reason


def test_a_proxy_that_has_reached_its_top_is_hacked_too():
    def gold(step: int) -> float:
        return 0.6 - 0.005 * max(0, step - 20)

    assert run(1, steps=100, proxy=lambda s: min(0.9, 0.5 + 0.02 * s), held_out=gold).alarm


def test_a_run_that_collapses_altogether_is_not_called_hacked():
    def down(step: int) -> float:
        return 0.8 - 0.006 * step

    monitor = run(2, steps=100, proxy=down, held_out=down)
    assert monitor.finding.verdict == "falling"
    assert monitor.alarm is None
    assert "and so did the reward" in monitor.finding.reason


def test_a_run_that_learns_is_fine():
    def up(step: int) -> float:
        return 0.3 + 0.005 * step

    monitor = run(3, steps=100, proxy=up, held_out=up)
    assert monitor.finding.verdict == "fine"
    assert monitor.alarm is None


def test_a_fall_that_matters_to_nobody_raises_no_alarm():
    settings = HackingSettings(least_fall=0.5, window=4)
    monitor = run(4, held_out=lambda s: 0.9 - 0.005 * s, steps=100, settings=settings)
    assert monitor.alarm is None


def hacked(world: World, policy: Policy, steps: int) -> Monitor:
    """Return a monitor of a run in which `policy` slowly takes the place of `HIGH`.

    The proxy pays for format and length; the held-out reward is the world's truth.
    """
    monitor = Monitor(HackingSettings(window=4))
    random = Random(0)
    for step in range(steps):
        seen = []
        for n in range(8):
            number = 8 * (step % 3) + n
            own = policy if random.random() < step / steps else HIGH
            text = world.respond(number, own, sample=step).text
            counted = surface(text)
            proxy = min(1.0, counted.marks / 400 + counted.words / 2000)
            seen.append(
                Seen(
                    prompt_id=world.prompt(number).id,
                    proxy=proxy,
                    held_out=world.gold(number, text),
                    completion=text,
                )
            )
        monitor.take(step, seen)
    monitor.finish()
    return monitor


def test_a_policy_of_the_simulated_world_that_learns_to_please_is_found():
    worse = Policy(name="pleaser", ability=0.0, style=HACKER.style, padding=HACKER.padding)
    monitor = hacked(World(seed=1), worse, 40)
    assert monitor.alarm is not None
    drift = monitor.finding.drift
    assert drift is not None
    assert drift["words"].low > 0
    honest = hacked(World(seed=1), HIGH, 24)
    assert honest.alarm is None


def test_metrics_show_the_newest_window_and_nothing_before_there_is_one():
    assert Monitor().metrics() == {}
    monitor = run(5, steps=20, proxy=lambda s: 0.9)
    shown = monitor.metrics()
    assert shown["hacking/proxy"] == pytest.approx(0.9, abs=0.2)
    assert shown["hacking/gap"] == pytest.approx(shown["hacking/proxy"] - shown["hacking/held_out"])
    assert shown["hacking/parted"] == 0.0
    assert shown["hacking/unscored"] == 0.0
    assert shown["hacking/held_out_change"] <= shown["hacking/held_out_change_high"]


def test_what_only_one_reward_saw_is_counted_and_not_compared():
    monitor = Monitor(HackingSettings(window=1, fewest=2))
    for step in range(3):
        seen = [Seen(prompt_id=f"p{n}", proxy=0.5, held_out=0.5) for n in range(3)]
        seen += [Seen(prompt_id="x", proxy=None, held_out=0.0, completion="")]
        seen += [Seen(prompt_id="y", proxy=0.0, held_out=None)]
        monitor.take(step, seen)
    [first, *_] = monitor.windows
    assert set(first.proxy) == set(first.held_out) == {"p0", "p1", "p2"}
    assert monitor.metrics()["hacking/unscored"] == pytest.approx(1 / 5)
    assert monitor.metrics()["hacking/proxy"] == 0.5


def test_what_is_not_finite_is_unscored():
    monitor = Monitor(HackingSettings(window=1, fewest=2))
    seen = [Seen(prompt_id=f"p{n}", proxy=0.5, held_out=0.5) for n in range(3)]
    monitor.take(0, [*seen, Seen(prompt_id="x", proxy=nan, held_out=0.5)])
    monitor.finish()
    assert monitor.metrics()["hacking/unscored"] == 0.25
    assert monitor.metrics()["hacking/proxy"] == 0.5


def test_a_window_waits_for_prompts_and_forgets_steps_that_have_none():
    monitor = Monitor(HackingSettings(window=2, fewest=4))
    for step in range(100):
        monitor.take(step, [Seen(prompt_id=f"p{step}", proxy=0.5, held_out=None)])
    assert monitor.windows == []
    assert monitor.finish().verdict == "wait"
    for step in range(100, 106):
        monitor.take(step, [Seen(prompt_id=f"p{step}", proxy=0.5, held_out=0.5)])
    assert len(monitor.windows) == 1
    assert monitor.windows[0].last - monitor.windows[0].first < 20


def test_calls_within_a_step_belong_together_and_steps_do_not_go_back():
    monitor = Monitor(HackingSettings(window=1, fewest=2))
    monitor.take(3, [Seen(prompt_id="a", proxy=0.0, held_out=0.0)])
    monitor.take(3, [Seen(prompt_id="b", proxy=1.0, held_out=1.0)])
    with pytest.raises(ValueError, match="step 2 after step 3"):
        monitor.take(2, [])
    monitor.take(4, [])
    assert monitor.windows[0].proxy == {"a": 0.0, "b": 1.0}
    assert monitor.finish().verdict == "wait"


@given(cut=st.integers(min_value=0, max_value=47), seed=st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_a_monitor_that_goes_on_from_a_state_judges_as_one_that_never_stopped(cut, seed):
    """The world turns bad half-way, so that findings, the alarm and its step differ by window."""
    made: list[Monitor] = []
    for interrupted in (False, True):
        random, monitor = Random(seed), Monitor(HackingSettings(window=4, fewest=4))
        for step in range(48):
            if interrupted and step == cut:
                known = monitor.state()
                monitor = Monitor(HackingSettings(window=4, fewest=4))
                monitor.restore(known)
            monitor.take(step, falling(random, step))
        monitor.finish()
        made.append(monitor)
    whole, resumed = made
    assert whole.alarm is not None
    assert (resumed.windows, resumed.finding) == (whole.windows, whole.finding)
    assert (resumed.alarm, resumed.metrics()) == (whole.alarm, whole.metrics())


def falling(random: Random, step: int) -> list[Seen]:
    """Return completions whose held-out reward falls after step 20; some are unscored."""
    truth = 0.6 if step < 20 else 0.2
    return [
        Seen(
            prompt_id=f"p{n}",
            proxy=None if n == step % 8 else 0.5 + random.gauss(0, 0.05),
            held_out=truth + random.gauss(0, 0.05),
            completion="word " * n,
        )
        for n in range(8)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"alpha": 0},
        {"alpha": 0.5},
        {"least_fall": -1},
        {"least_fall": nan},
        {"fewest": 1},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(wrong):
    [name] = wrong
    with pytest.raises(InputError, match=name):
        HackingSettings(**wrong)


@pytest.mark.parametrize(
    ("text", "words", "marks", "flattery"),
    [
        ("", 0, 0, 0),
        ("one two three four", 4, 0, 0),
        ("# Head\n- one\n- **two**\n🎉", 3, 5, 0),
        ("Great question! You’re right to ask, and you're absolutely right.", 10, 0, 3),
    ],
    ids=["nothing", "plain", "format", "flattery"],
)
def test_a_surface_is_what_can_be_counted(text, words, marks, flattery):
    found = surface(text)
    assert found.words == words
    assert found.marks == pytest.approx(1000 * marks / max(words, 1))
    assert found.flattery == pytest.approx(1000 * flattery / max(words, 1))
