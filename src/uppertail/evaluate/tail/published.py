"""The training curves of Figure 4, read from the figure's own vector coordinates.

Source: arXiv 2509.21500, Figure 4. Percentages of prompts won against Qwen3-8B, and the
scores of HealthBench and of PRBench's finance part.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel of the figure."""

    title: str
    label: str
    steps: tuple[int, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]
    sft: float
    """The horizontal line of supervised fine-tuning on the great responses."""


def _named(*rows: str) -> tuple[tuple[str, tuple[float, ...]], ...]:
    names = ("Initial", "1 Good", "1 Great", "4 Great", "4 Great & Diverse")
    return tuple(
        (name, tuple(float(value) for value in row.split()))
        for name, row in zip(names, rows, strict=True)
    )


FIGURE_4 = (
    Panel(
        title="Health, win rate",
        label="win rate, %",
        steps=tuple(range(0, 201, 20)),
        series=_named(
            "8.33 16.86 23.61 18.65 19.04 16.86 14.68 15.87 15.07 15.87 13.69",
            "8.33 17.85 24.99 23.61 21.42 19.24 19.04 19.04 20.23 17.85 16.46",
            "8.33 17.06 26.19 30.55 27.97 21.62 21.82 25.19 17.26 21.22 18.65",
            "8.33 17.45 24.80 29.76 33.53 31.54 29.56 33.92 29.16 29.95 26.58",
            "8.33 15.07 25.59 31.15 30.55 31.74 30.95 31.54 29.36 26.19 28.37",
        ),
        sft=25.99,
    ),
    Panel(
        title="HealthBench",
        label="score",
        steps=(0, 40, 106, 160, 200),
        series=_named(
            ".1721 .2992 .3004 .2720 .2754",
            ".1721 .3129 .2912 .3016 .2924",
            ".1721 .3150 .3163 .3096 .3000",
            ".1721 .3120 .3348 .3395 .3382",
            ".1721 .3173 .3513 .3273 .3302",
        ),
        sft=0.2999,
    ),
    Panel(
        title="Finance, win rate",
        label="win rate, %",
        steps=(0, 80, 160, 240, 320),
        series=_named(
            "5.83 29.04 41.56 35.88 37.22",
            "5.83 34.21 44.90 41.56 39.06",
            "5.83 33.21 43.56 45.73 42.23",
            "5.83 36.05 52.91 49.41 48.90",
            "5.83 40.06 51.08 50.74 49.57",
        ),
        sft=26.03,
    ),
    Panel(
        title="PRBench-Finance",
        label="score",
        steps=(0, 80, 160, 240, 320),
        series=_named(
            ".1737 .2411 .2764 .2734 .2693",
            ".1737 .2417 .2775 .2726 .2694",
            ".1737 .2385 .2834 .2857 .2838",
            ".1737 .2545 .2971 .2937 .2961",
            ".1737 .2601 .2892 .2963 .3018",
        ),
        sft=0.2218,
    ),
)
