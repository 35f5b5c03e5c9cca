"""`uppertail tail`: the tail report, the tracker of a training run, and the paper's figures.

What computes needs NumPy, so it is imported where it runs: help needs no extra.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

COLUMNS = Group("Columns", sort_key=1)

tail = App(
    name="tail",
    help="Say how far a reward can be optimised, from scored responses of the base policy.\n\n"
    "`uppertail tail FILE` makes the report. `uppertail tail track FILE` finds onset, peak and "
    "drop in the checkpoints of a run, `uppertail tail figures FOLDER` draws the paper's figures.",
    result_action="return_value",
    default_parameter=Parameter(negative=()),
)


@tail.default
def report(
    file: str,
    /,
    *,
    reward: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    gold: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    against: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    retest: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    prompt: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    response: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    text: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    length: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    chosen: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    rejected: Annotated[str | None, Parameter(group=COLUMNS)] = None,
    gold_is: Annotated[Literal["score", "rank"], Parameter(group=COLUMNS)] = "score",
    labels: str | None = None,
    resamples: int = 200,
    seed: int = 0,
    html: str | None = None,
    json: bool = False,
) -> int:
    """Say how often a reward ties and inverts, and at which KL optimising it stops helping.

    FILE has one row a response of the base policy, two or more a prompt: a prompt id, a
    reward, and if possible a gold label (number, rank, or pairwise preferences). It is
    .parquet, .csv or .jsonl, or the folder of a finished run. An empty reward is unscored and
    an empty label unlabelled; neither becomes a number. See docs/tail.md.

    For example:

    - `uppertail tail scores.parquet --reward rm --gold human --html tail.html`

    - `uppertail tail scores.parquet --reward new --against old --gold human`

    - `uppertail tail pairs.jsonl --chosen chosen_reward --rejected rejected_reward`

    - `uppertail tail runs/refine-pools`

    Args:
        file: scored responses.
        reward: the reward; usual names: reward, proxy, score, value.
        gold: true quality, higher is better; usual names: gold, label. Scales may differ
            from prompt to prompt.
        against: a second reward, compared on the same responses.
        retest: the reward of the same responses, scored once more.
        prompt: id of the prompt; usual names: prompt_id, prompt, id.
        response: id of the response, to join `--labels`.
        text: the response, for length and format; usual names: response, completion, text.
        length: a length, where there is no text.
        chosen: reward of the preferred response, one row a pair.
        rejected: reward of the other one.
        gold_is: `rank` where 1 is best.
        labels: gold in a file of its own, by prompt and response id: labels, or `chosen` and
            `rejected` response ids.
        resamples: bootstrap resamples of prompts; 0 for no intervals.
        seed: of the resamples.
        html: write the report as a page here.
        json: print the report as JSON instead of tables.

    """
    from uppertail.evaluate.tail import Columns, Settings, read_table, tail_report

    columns = Columns(
        prompt=prompt,
        response=response,
        reward=reward,
        gold=gold,
        against=against,
        retest=retest,
        text=text,
        length=length,
        chosen=chosen,
        rejected=rejected,
        gold_is=gold_is,
    )
    table = read_table(Path(file), columns, labels=Path(labels) if labels else None)
    made = tail_report(table, Settings(resamples=resamples, seed=seed))
    if html:
        from uppertail.evaluate.tail.page import page

        write_text(Path(html), page(made))
    if json:
        print_json(made)
    else:
        from rich.console import Console

        from uppertail.evaluate.tail.terminal import show

        show(made, Console())
    return 0


@tail.command
def track(
    file: str,
    /,
    *,
    step: str = "step",
    proxy: str = "reward",
    gold: str = "gold",
    kl: str = "kl",
    noise: float | None = None,
    patience: int = 2,
    kl_limit: float | None = None,
    json: bool = False,
) -> int:
    """Find onset, peak and drop in the checkpoints of a training run, and say whether to stop.

    Args:
        file: one row a checkpoint: .jsonl, .csv or .parquet.
        step: column of training steps.
        proxy: column of the mean reward that is optimised.
        gold: column of what counts: labels, or a held-out judge.
        kl: column of the KL from the base policy, in nats.
        noise: the least fall of gold that counts; estimated from the series unless given.
        patience: how many checkpoints in a row must have fallen.
        kl_limit: stop beyond this KL: the peak that `uppertail tail` predicts.
        json: print JSON.

    """
    from uppertail.evaluate.tail.read import read_checkpoints
    from uppertail.evaluate.tail.tracker import track as follow

    checkpoints = read_checkpoints(Path(file), step=step, proxy=proxy, gold=gold, kl=kl)
    found = follow(checkpoints, noise=noise, patience=patience, kl_limit=kl_limit)
    if json:
        print_json(found)
        return 0
    for name, at in (("peak", found.peak), ("onset", found.onset), ("last", found.last)):
        if at is not None:
            distance = "" if at.kl is None else f", KL {at.kl:.3g}"
            print(f"{name}: step {at.step}, gold {at.gold:.4g}{distance}")
    print(f"{found.advice}: {found.reason}")
    return 0


@tail.command
def figures(folder: str, /) -> int:
    """Draw Figures 2a, 2b and 4 of the paper as SVG files and one page.

    Args:
        folder: where they go; made if missing.

    """
    from uppertail.evaluate.tail.figures import drawings, page_of, svg_of

    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    made = drawings()
    for drawing in made:
        write_text(out / f"{drawing.name}.svg", svg_of(drawing))
    write_text(out / "figures.html", page_of(made))
    print(out / "figures.html")
    return 0


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    from uppertail.data.write import replacing

    with replacing(path) as write:
        write(text.encode("utf-8"))


def print_json(value: object) -> None:
    """Print a report as one JSON object."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
