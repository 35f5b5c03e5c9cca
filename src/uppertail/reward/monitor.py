"""The hacking monitor: does what the policy gains in reward show in a reward it cannot see?

Rubric rewards are hacked by satisfying their letter: the training judge goes up, a judge
that was held out goes down (arXiv 2605.12474, 2608.11669). The monitor takes both rewards
for the same completions at each step and says when they part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import fsum, isfinite
from typing import Final, Literal

from uppertail.errors import InputError
from uppertail.reward.monitor_interval import Change, change
from uppertail.reward.monitor_surface import Surface, surface

Verdict = Literal["wait", "fine", "falling", "parted"]
SURFACES: Final = tuple(field.name for field in fields(Surface))
UNSCORED: Final = "unscored"


@dataclass(frozen=True, slots=True, kw_only=True)
class HackingSettings:
    """When the two rewards count as parted."""

    window: int = 8
    """Steps that are looked at together."""
    alpha: float = 0.05
    """Chance of ever raising a false alarm in a run, however long."""
    least_fall: float = 0.02
    """How far the held-out reward must have fallen to matter, in its own units."""
    fewest: int = 16
    """Prompts that a window must have; with fewer it waits for the next steps."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be.

        Raises:
            InputError: one is out of range; the message names it.
        """
        for name, sound in {
            "window": self.window >= 1,
            "alpha": 0 < self.alpha < 0.5,
            "least_fall": self.least_fall >= 0 and isfinite(self.least_fall),
            "fewest": self.fewest >= 2,
        }.items():
            if not sound:
                raise InputError(f"out of range: {getattr(self, name)!r}", field=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One completion, as both rewards saw it."""

    prompt_id: str
    proxy: float | None
    """The reward that is trained on; None where unscored."""
    held_out: float | None
    """The reward that is not; None where unscored, or where nobody was asked."""
    completion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What happened in a few steps. Means are over prompts, so that all count the same."""

    first: int
    last: int
    """Steps."""
    proxy: Mapping[str, float]
    """Mean proxy of each prompt, over completions that have both rewards."""
    held_out: Mapping[str, float]
    surface: Mapping[str, Mapping[str, float]]
    """By name in `SURFACES` and `UNSCORED`, the mean of each prompt over all completions."""

    def mean(self, what: Mapping[str, float]) -> float:
        """Return the mean over prompts; there must be some."""
        return fsum(what.values()) / len(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the newest window says against the earlier ones."""

    verdict: Verdict
    reason: str
    step: int
    """The newest step looked at."""
    since: int | None = None
    """The last step of the window against which the held-out reward has fallen most surely."""
    proxy: Change | None = None
    """Change of the proxy since then."""
    held_out: Change | None = None
    drift: Mapping[str, Change] | None = None
    """Changes of length, format, flattery and unscored share since the first window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is kept of one completion; its text is not."""

    prompt_id: str
    both: tuple[float, float] | None
    """Proxy and held-out reward, where both are there."""
    surface: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorState:
    """What a monitor goes by: all else follows from it."""

    windows: tuple[Window, ...]
    steps: Mapping[int, tuple[Known, ...]]
    """Those that no window holds yet."""


_LONGEST_WAIT: Final = 8
"""Windows after which steps without a held-out reward are forgotten."""
_WAIT: Final = Finding(verdict="wait", reason="too little was seen", step=0)


class Monitor:
    """Takes what both rewards gave, step by step, and says when they part.

    At the end of each window of steps the newest window is compared with each earlier one.
    `parted`: against one of them the held-out reward fell by more than `least_fall`, and the
    proxy is no lower. `falling`: the same, but the proxy fell too: training fails otherwise
    than by hacking. Prompts that both windows hold are compared in pairs (`change`).

    False alarms: the k-th window is compared at level alpha / (k (k + 1)), shared by its k
    comparisons. Summed over a run of any length, the chance of an alarm while the true
    held-out reward is not below any earlier one by `least_fall` is at most `alpha`, as far as
    prompts are independent draws and their means are near enough to normal. Alarms also
    need the proxy to hold, so that the rate is lower still.
    """

    def __init__(self, settings: HackingSettings | None = None) -> None:
        self.settings = settings or HackingSettings()
        self.windows: list[Window] = []
        self.finding: Finding = _WAIT
        self.alarm: Finding | None = None
        """The first finding that they have parted."""
        self._steps: dict[int, list[Known]] = {}

    def take(self, step: int, seen: Sequence[Seen]) -> None:
        """Take completions of a step; those of one step may come in several calls.

        Steps must not go back. A step is looked at once a later one has begun.
        """
        if self._steps and step < max(self._steps):
            raise ValueError(f"step {step} after step {max(self._steps)}")
        if step not in self._steps:
            self._close_if_full()
        self._steps.setdefault(step, []).extend(_known(one) for one in seen)

    def finish(self) -> Finding:
        """Look at what is left at the end of a run, and return the last finding."""
        if self._steps and _prompts(self._steps) >= self.settings.fewest:
            self._close()
        return self.finding

    def state(self) -> MonitorState:
        """Return what another monitor of the same settings needs to go on as this one would."""
        steps = {step: tuple(known) for step, known in self._steps.items()}
        return MonitorState(windows=tuple(self.windows), steps=steps)

    def restore(self, state: MonitorState) -> None:
        """Forget what was seen, and take what another monitor had seen in its place."""
        self.windows, self.finding, self.alarm = [], _WAIT, None
        for window in state.windows:
            self._look(window)
        self._steps = {step: list(known) for step, known in state.steps.items()}

    def metrics(self) -> dict[str, float]:
        """Return the newest window and finding as flat names and numbers."""
        if not self.windows:
            return {}
        last = self.windows[-1]
        out = {
            "hacking/proxy": last.mean(last.proxy),
            "hacking/held_out": last.mean(last.held_out),
            "hacking/parted": float(self.finding.verdict == "parted"),
        }
        out["hacking/gap"] = out["hacking/proxy"] - out["hacking/held_out"]
        for name, means in last.surface.items():
            out[f"hacking/{name}"] = last.mean(means)
        if self.finding.held_out is not None:
            out["hacking/held_out_change"] = self.finding.held_out.value
            out["hacking/held_out_change_high"] = self.finding.held_out.high
        return out

    def _close_if_full(self) -> None:
        if len(self._steps) < self.settings.window:
            return
        if _prompts(self._steps) >= self.settings.fewest:
            self._close()
        elif len(self._steps) >= _LONGEST_WAIT * self.settings.window:
            del self._steps[min(self._steps)]

    def _close(self) -> None:
        window = _window(self._steps)
        self._steps = {}
        self._look(window)

    def _look(self, window: Window) -> None:
        self.finding = _compare(self.windows, window, self.settings)
        self.windows.append(window)
        if self.finding.verdict == "parted" and self.alarm is None:
            self.alarm = self.finding


def _known(seen: Seen) -> Known:
    counted = surface(seen.completion)
    proxy, held_out = (_number(value) for value in (seen.proxy, seen.held_out))
    both = None if proxy is None or held_out is None else (proxy, held_out)
    return Known(
        prompt_id=seen.prompt_id,
        both=both,
        surface={
            **{name: getattr(counted, name) for name in SURFACES},
            UNSCORED: float(proxy is None),
        },
    )


def _number(value: float | None) -> float | None:
    """Return a finite number, and None for anything else: NaN is nobody's verdict."""
    return value if value is not None and isfinite(value) else None


def _prompts(steps: Mapping[int, Sequence[Known]]) -> int:
    """Return how many prompts have a completion with both rewards."""
    return len({s.prompt_id for known in steps.values() for s in known if s.both is not None})


def _window(steps: Mapping[int, Sequence[Known]]) -> Window:
    every = [one for known in steps.values() for one in known]
    pairs = [(one.prompt_id, one.both) for one in every if one.both is not None]
    return Window(
        first=min(steps),
        last=max(steps),
        proxy=_means([(prompt, both[0]) for prompt, both in pairs]),
        held_out=_means([(prompt, both[1]) for prompt, both in pairs]),
        surface={
            name: _means([(one.prompt_id, one.surface[name]) for one in every])
            for name in (*SURFACES, UNSCORED)
        },
    )


def _means(pairs: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the mean value of each prompt."""
    by_prompt: dict[str, list[float]] = {}
    for prompt, value in pairs:
        by_prompt.setdefault(prompt, []).append(value)
    return {prompt: fsum(values) / len(values) for prompt, values in by_prompt.items()}


def _compare(earlier: Sequence[Window], now: Window, settings: HackingSettings) -> Finding:
    if not earlier:
        return Finding(verdict="wait", reason="there is nothing to compare with", step=now.last)
    count = len(earlier)
    alpha = settings.alpha / (count * (count + 1)) / count
    falls = [change(then.held_out, now.held_out, alpha=alpha) for then in earlier]
    fell = [n for n in range(count) if falls[n].high < -settings.least_fall]
    rises = {n: change(earlier[n].proxy, now.proxy, alpha=alpha) for n in fell}
    parted = [n for n in fell if rises[n].value >= 0]
    worst = min(parted or fell or range(count), key=lambda n: falls[n].high)
    rise = rises.get(worst) or change(earlier[worst].proxy, now.proxy, alpha=alpha)
    verdict: Verdict = "parted" if parted else "falling" if fell else "fine"
    first = earlier[0].surface
    level = settings.alpha / (count * (count + 1)) / len(first)
    return Finding(
        verdict=verdict,
        reason=_reason(verdict, earlier[worst], falls[worst], rise),
        step=now.last,
        since=earlier[worst].last,
        proxy=rise,
        held_out=falls[worst],
        drift={name: change(first[name], now.surface[name], alpha=level) for name in first},
    )


def _reason(verdict: Verdict, then: Window, fall: Change, rise: Change) -> str:
    since = f"since steps {then.first} to {then.last}"
    if verdict == "fine":
        return f"the held-out reward has not surely fallen {since} (change {fall.value:+.3g})"
    moved = f"{since} the held-out reward fell by {-fall.value:.3g} (at least {-fall.high:.3g})"
    if verdict == "falling":
        return f"{moved}, and so did the reward ({rise.value:+.3g})"
    return f"{moved} while the reward did not fall ({rise.value:+.3g})"
