"""What a finished run leaves for people and programs: files, report, summary."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from uppertail.cli.progress import span
from uppertail.data.run_folder import RunFolder, read_config
from uppertail.data.write import replacing
from uppertail.models import Journal
from uppertail.refine.outputs import write_outputs
from uppertail.refine.result import Refinement, Status, Task
from uppertail.report import ReportBuilder, RoleSpend, RunFacts
from uppertail.report.aggregate import StepStats
from uppertail.report.tally import Tally


def publish(folder: RunFolder[Task, Refinement], *, as_json: bool) -> bool:
    """Write outputs and report, print the summary, return whether the run lost anything."""
    conversations = int(folder.fact("conversations") or 0)
    write_outputs(folder.path, folder.results(), as_messages=conversations > 0)
    tally, facts = write_report(folder)
    summary = summarise(folder, tally, facts)
    with replacing(folder.path / "summary.json") as write:
        write(json.dumps(summary, indent=2).encode() + b"\n")
    console = Console()
    if as_json:
        console.file.write(json.dumps(summary) + "\n")
    else:
        print_summary(console, folder, tally, facts)
    return tally.statuses[Status.DONE] < len(folder)


def write_report(folder: RunFolder[Task, Refinement]) -> tuple[Tally, RunFacts]:
    """Write report.html and return the figures that it shows."""
    builder = ReportBuilder(title=f"{folder.path.resolve().name}")
    for task, refinement in folder.results():
        builder.add(task.pool, refinement)
    facts = run_facts(folder)
    with replacing(folder.path / "report.html") as write:
        write(builder.render(facts).encode("utf-8"))
    return builder.tally, facts


def run_facts(folder: RunFolder[Task, Refinement]) -> RunFacts:
    """Return what the folder says of its run besides the prompts."""
    config = read_config(folder.path)
    with Journal(folder.journal) as journal:
        spend = {
            total.role: RoleSpend(
                calls=total.calls,
                prompt_tokens=total.usage.prompt_tokens,
                cached_tokens=total.usage.cached_tokens,
                completion_tokens=total.usage.completion_tokens,
                usd=total.usd,
                p50_seconds=total.p50_seconds,
                p95_seconds=total.p95_seconds,
            )
            for total in journal.roles()
        }
    shown = config.identity
    return RunFacts(
        command=config.command,
        settings={key: text(value) for key, value in shown.items()},
        models={role: text(config.identity.get(role)) for role in ("proposer", "verifier")},
        spend=spend,
        quarantined=json.loads(folder.fact("quarantined") or "{}"),
        started=folder.fact("started") or "",
        finished=folder.fact("finished") or "",
        wall_seconds=float(folder.fact("seconds") or 0),
    )


def text(value: object) -> str:
    """Return a JSON value as a person would write it."""
    return value if isinstance(value, str) else json.dumps(value)


def summarise(
    folder: RunFolder[Task, Refinement], tally: Tally, facts: RunFacts
) -> Mapping[str, object]:
    """Return the run's figures as JSON values: counts, shares in [0, 1], US dollars, seconds."""
    calls = {
        role: {
            "calls": spend.calls,
            "prompt_tokens": spend.prompt_tokens,
            "completion_tokens": spend.completion_tokens,
            "usd": spend.usd,
        }
        for role, spend in facts.spend.items()
    }
    return {
        "run": str(folder.path),
        "prompts": tally.prompts,
        **{status.value: tally.statuses[status] for status in Status},
        "responses": tally.responses,
        "unscored": tally.unscored,
        "rounds": [_step(step) for step in tally.rounds],
        "final": _step(tally.final),
        "losses": tally.losses.total(),
        "quarantined": dict(facts.quarantined),
        "spend": calls,
        "seconds": facts.wall_seconds,
    }


def _step(step: StepStats) -> Mapping[str, object]:
    return {
        "prompts": step.prompts,
        "tied_share": step.tied_share,
        "separated_share": step.separated_share,
        "mean_spread": step.mean_spread,
        "unscored_share": step.unscored_share,
    }


def print_summary(
    console: Console, folder: RunFolder[Task, Refinement], tally: Tally, facts: RunFacts
) -> None:
    """Print the run's figures as tables, and where its files are."""
    states = ", ".join(f"{tally.statuses[s]} {s.value}" for s in Status if tally.statuses[s])
    console.print(
        f"\n{tally.prompts} prompts ({states}) in {span(facts.wall_seconds)}", markup=False
    )
    console.print(rounds_table(tally))
    console.print(criteria_table(tally))
    if tally.losses:
        console.print(losses_table(tally))
    for role, spend in facts.spend.items():
        console.print(spend_line(role, spend), highlight=False)
    for name in ("report.html", "rubrics.jsonl", "scores.jsonl", "verdicts.jsonl"):
        console.print(Text(str(folder.path / name)), soft_wrap=True)


def rounds_table(tally: Tally) -> Table:
    """Return ties and separations of the two best responses, by round."""
    table = Table(title="The two best responses of a pool", title_justify="left", box=SIMPLE_HEAD)
    for head in ("", "tied", "separated", "mean spread", "unscored"):
        table.add_column(head, justify="right" if head else "left")
    names = [f"after round {n}" if n else "initial rubric" for n in range(len(tally.rounds))]
    for name, step in [*zip(names, tally.rounds, strict=True), ("final rubric", tally.final)]:
        if step.responses:
            values = (step.tied_share, step.separated_share)
            spread = "" if step.mean_spread is None else f"{step.mean_spread:.3f}"
            table.add_row(name, *map(share, values), spread, share(step.unscored_share))
    return table


def criteria_table(tally: Tally) -> Table:
    """Return how many criteria rubrics have, first and last."""
    table = Table(title="Criteria per rubric", title_justify="left", box=SIMPLE_HEAD)
    for head in ("", "least", "mean", "most"):
        table.add_column(head, justify="right" if head else "left")
    for name, sizes in (("initial", tally.sizes_before), ("final", tally.sizes_after)):
        if sizes:
            mean = sum(size * count for size, count in sizes.items()) / sizes.total()
            table.add_row(name, str(min(sizes)), f"{mean:.1f}", str(max(sizes)))
    return table


def losses_table(tally: Tally) -> Table:
    """Return what was lost, by stage and reason."""
    table = Table(title="Lost", title_justify="left", box=SIMPLE_HEAD)
    for head in ("stage", "why", "times"):
        table.add_column(head, justify="right" if head == "times" else "left")
    for (stage, why), count in tally.losses.most_common(10):
        table.add_row(stage, Text(why), str(count))
    return table


def spend_line(role: str, spend: RoleSpend) -> str:
    """Return what a role took, such as `verifier: 340 calls, 1,200 tokens in, 90 out, $0.01`."""
    money = "price unknown" if spend.usd is None else f"${spend.usd:.4f}"
    return (
        f"{role}: {spend.calls:,} calls, {spend.prompt_tokens:,} tokens in, "
        f"{spend.completion_tokens:,} out, {money}"
    )


def share(value: float | None) -> str:
    """Return a share as a percentage; empty where there is none."""
    return "" if value is None else f"{100 * value:.1f}%"
