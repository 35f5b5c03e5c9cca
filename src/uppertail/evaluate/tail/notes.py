"""What a report cannot say about these rows, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from uppertail.evaluate.tail.groups import Groups
from uppertail.evaluate.tail.measure import Estimates, has_peaked
from uppertail.evaluate.tail.table import Floats, Table


def notes_on(
    table: Table, scored: Groups, used: Groups | None, estimates: Estimates | None
) -> tuple[str, ...]:
    """Return the limits of the report, most important first."""
    return tuple(_notes(table, scored, used, estimates))


def _notes(
    table: Table, scored: Groups, used: Groups | None, estimates: Estimates | None
) -> Iterator[str]:
    if used is None:
        yield (
            "Without gold labels this report says how often the reward ties, how finely it "
            "grades and how far it could move a policy. It cannot say whether the reward is "
            "right, where it inverts, nor at which KL it peaks."
        )
    elif estimates is None:
        yield ("The reward is constant within every prompt: it orders nothing and moves no policy.")
    else:
        yield from _reach(used, estimates)
    if used is not None and used.prompts < 20:
        yield (
            f"Intervals resample prompts; with {used.prompts} of them they are "
            + ("absent." if used.prompts == 1 else "rough.")
        )
    if used is not None and used.single:
        yield f"{used.single} prompts with a single usable response are left out."
    if table.gold is not None and used is not None and _scales_differ(table.gold, used):
        yield (
            "Gold labels have different ranges from prompt to prompt. Win rates, pairs and "
            "maps use ranks within a prompt and are unaffected; the mean gold of best-of-n "
            "mixes scales."
        )
    if scored.single and used is None:
        yield f"{scored.single} prompts with a single scored response are left out."


def _reach(used: Groups, estimates: Estimates) -> Iterator[str]:
    """Yield how far the samples let see."""
    limit = float(estimates.kl_limit[0])
    size = np.exp(np.log(used.sizes).mean())
    yield (
        f"With about {size:.0f} responses a prompt, curves end at a KL of {limit:.2f} nats; the "
        "last nat rests on fewer than three responses a prompt. More samples let see further."
    )
    if not has_peaked(estimates):
        yield "The win rate does not fall within that range: a peak beyond it cannot be excluded."


def _scales_differ(gold: Floats, used: Groups) -> bool:
    """Return whether a tenth of the prompts have a gold range that misses the typical one."""
    low = np.concatenate([np.minimum.reduceat(gold[c.rows], c.starts) for c in used.chunks()])
    high = np.concatenate([np.maximum.reduceat(gold[c.rows], c.starts) for c in used.chunks()])
    typical_low, typical_high = np.median(low), np.median(high)
    width = max(typical_high - typical_low, 1e-12)
    misses = (high < typical_low - width) | (low > typical_high + width)
    wider = (high - low) > 10 * width
    return bool((misses | wider).mean() > 0.1)
