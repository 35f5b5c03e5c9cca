"""The page: curves with bands, the unscored share beside them, and the figures in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, Final

from examples.tiny_grpo.settings import ARMS, Arm
from examples.tiny_grpo.summary import Floats, Series, What, interval
from uppertail.evaluate.tail.document import document
from uppertail.evaluate.tail.plots import Axis, Line, chart, even_ticks, standalone
from uppertail.report.markup import Html, tag
from uppertail.report.pieces import section, table

NAMES: Final[dict[Arm, str]] = {
    "reward-model": "reward model",
    "initial": "initial rubric",
    "refined": "refined rubric",
    "refined-faults": "refined, 10 % lost",
}
STYLES: Final[dict[Arm, str]] = {
    "reward-model": "l1",
    "initial": "l3",
    "refined": "l2",
    "refined-faults": "l4",
}
DIFFERENCES: Final = {
    "refined_minus_initial": "refined − initial",
    "refined_minus_reward_model": "refined − reward model",
    "faults_minus_none": "refined with 10 % lost − refined",
}
QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
BAND_DRAWS: Final = 500

Picture = tuple[Sequence[Line], Axis, Axis, str]


def pictures(series: Mapping[Arm, Series]) -> dict[str, Picture]:
    """Return the four charts by name: lines, axes, and what each shows in words."""
    steps = next(iter(series.values())).steps
    x = Axis(label="training step", low=0, high=steps[-1], ticks=even_ticks(0, steps[-1]))
    kls = _lines(series, "kl")
    furthest = max(high for line in kls for _, _, high in line.band) or 1.0
    kl = Axis(label="KL to the base policy, nats an answer", low=0, high=furthest,
              ticks=even_ticks(0, furthest))  # fmt: skip
    far = sqrt(furthest)
    root = Axis(label="square root of the KL to the base policy", low=0, high=far,
                ticks=even_ticks(0, far))  # fmt: skip
    win = _share_axis("gold win rate against the base policy")
    return {
        "win": (_lines(series, "win"), x, win, "Gold win rate over training steps."),
        "kl": (kls, x, kl, "KL to the base policy over training steps."),
        "win-kl": (_against(series), root, win, "Gold win rate over the root of the KL."),
        "unscored": (
            _unscored(series),
            x,
            Axis(label="unscored share of rollouts", low=0, high=0.2,
                 ticks=(0, 0.05, 0.1, 0.15, 0.2), percent=True),
            "Share of rollouts without a reward over training steps.",
        ),
    }  # fmt: skip


def svg(picture: Picture) -> str:
    """Return a chart as the text of an SVG file."""
    lines, x, y, label = picture
    return standalone(lines, x, y, label=label)


def page(series: Mapping[Arm, Series], found: Mapping[str, Any]) -> str:
    """Return the whole document."""
    drawn = {name: chart(lines, x, y, label=label) for name, (lines, x, y, label) in
             pictures(series).items()}  # fmt: skip
    seeds = len(found["seeds"])
    prompts = next(iter(series.values())).per_prompt["win"].shape[2]
    return document(
        "GRPO in a small world",
        tag("h1", "GRPO in a small world"),
        tag("p", _headline(found), class_="lead"),
        section(
            "win",
            "Gold win rate",
            f"Means over {seeds} seeds and {prompts} test prompts each; bands are 95 % intervals"
            " over seeds and prompts. The base policy against itself wins half.",
            drawn["win"],
        ),
        section("kl", "Distance from the base policy", "", drawn["kl"]),
        section("win-kl", "Win rate over distance", "", drawn["win-kl"]),
        section("unscored", "Unscored share", "Never a number to the trainer.", drawn["unscored"]),
        section(
            "figures",
            "Figures",
            "In percent and points; final gold and KL as they are.",
            _table(found),
            _differences(found),
        ),
        section("answers", "Answers to one test prompt", "Sampled, first seed.", _answers(series)),
    )


def _share_axis(label: str) -> Axis:
    return Axis(label=label, low=0, high=1, ticks=QUARTERS, percent=True)


def _lines(series: Mapping[Arm, Series], what: What) -> list[Line]:
    return [
        Line(
            name=NAMES[arm],
            points=list(zip(one.steps, _means(one.per_prompt[what]), strict=True)),
            style=STYLES[arm],
            band=_band(one, what),
        )
        for arm, one in series.items()
    ]


def _band(one: Series, what: What) -> list[tuple[float, float, float]]:
    bounds = [interval(one.over_seeds(what, k), draws=BAND_DRAWS) for k in range(len(one.steps))]
    return [(step, b.low, b.high) for step, b in zip(one.steps, bounds, strict=True)]


def _against(series: Mapping[Arm, Series]) -> list[Line]:
    return [
        Line(
            name=NAMES[arm],
            points=list(
                zip(
                    map(sqrt, _means(one.per_prompt["kl"])),
                    _means(one.per_prompt["win"]),
                    strict=True,
                )
            ),
            style=STYLES[arm],
        )
        for arm, one in series.items()
    ]


def _unscored(series: Mapping[Arm, Series]) -> list[Line]:
    return [
        Line(
            name=NAMES[arm],
            points=[(s, u) for s, u in zip(one.steps, one.unscored, strict=True) if u is not None],
            style=STYLES[arm],
        )
        for arm, one in series.items()
    ]


def _means(values: Floats) -> list[float]:
    return [float(value) for value in values.mean(axis=(0, 2))]


def _headline(found: Mapping[str, Any]) -> str:
    apart = found["refined_minus_initial"]["win"]
    return (
        f"{_ending(found, 'initial', 'Trained on the initial rubric')};"
        f" {_ending(found, 'refined', 'on the refined one')}. The difference is"
        f" {100 * apart['mean']:.0f} points ({100 * apart['low']:.0f} to {100 * apart['high']:.0f})."
    )


def _ending(found: Mapping[str, Any], arm: Arm, words: str) -> str:
    one = found["arms"][arm]
    win, fall, kl = (one[key]["mean"] for key in ("final_win", "drop", "final_kl"))
    return (
        f"{words}, the policy ends at a gold win rate of {_percent(win)} % (fall from the peak:"
        f" {_points(fall)} points) and {kl:.1f} nats"
    )


def _table(found: Mapping[str, Any]) -> Html:
    names = ("final win rate", "95 %", "final gold", "KL", "peak at step", "rise to peak", "95 %",
             "fall from peak", "95 %", "unscored")  # fmt: skip
    heads = [("", ""), *((name, "n") for name in names)]
    return table(heads, (_row(arm, found["arms"][arm]) for arm in ARMS))


def _row(arm: Arm, one: Mapping[str, Any]) -> list[str]:
    return [
        NAMES[arm],
        *_figure(one["final_win"]),
        f"{one['final_gold']['mean']:.3f}",
        f"{one['final_kl']['mean']:.2f}",
        str(one["peak_step"]),
        *_figure(one["rise"]),
        *_figure(one["drop"]),
        _percent(one["unscored"]),
    ]


def _differences(found: Mapping[str, Any]) -> Html:
    rows = (
        [words, *_figure(found[key]["win"]), *_figure(found[key]["gold"])]
        for key, words in DIFFERENCES.items()
    )
    heads = [("at the end", ""), *((n, "n") for n in ("win rate", "95 %", "gold", "95 %"))]
    return table(heads, rows)


def _figure(one: Mapping[str, float]) -> tuple[str, str]:
    """Return a mean and its interval, in percent or points."""
    low, high = (f"{100 * one[end]:.1f}".replace("-", "−") for end in ("low", "high"))
    return _percent(one["mean"]).replace("-", "−"), f"{low} to {high}"


def _points(share: float) -> str:
    return f"{100 * share:z.0f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _answers(series: Mapping[Arm, Series]) -> Html:
    steps = next(iter(series.values())).steps
    chosen = sorted({0, len(steps) // 4, len(steps) // 2, len(steps) - 1})
    rows = (
        [NAMES[arm], str(one.steps[at]), one.examples[at]]
        for arm, one in series.items()
        for at in chosen
    )
    return table([("reward", ""), ("step", "n"), ("answer", "")], rows)
