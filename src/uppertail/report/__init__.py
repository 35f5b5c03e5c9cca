"""The static report: one self-contained HTML page for a run.

    builder = ReportBuilder(title="my run", seed=0)
    for pool, refinement in run:
        builder.add(pool, refinement)
    html = builder.render(facts)

`Tally` holds the same figures for the terminal.
"""

from uppertail.report.builder import ReportBuilder
from uppertail.report.facts import RoleSpend, RunFacts
from uppertail.report.tally import Tally

__all__ = ["ReportBuilder", "RoleSpend", "RunFacts", "Tally"]
