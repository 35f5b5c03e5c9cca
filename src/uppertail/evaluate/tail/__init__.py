"""The tail report: given any reward, how far it can be optimised. Needs the extra `tail`.

table = read_table(Path("scores.parquet"), Columns(reward="score", gold="label"))
report = tail_report(table)
report.measured.peak.kl
"""

from uppertail.evaluate.tail.read import Columns, read_table
from uppertail.evaluate.tail.report import Settings, tail_report
from uppertail.evaluate.tail.result import TailReport
from uppertail.evaluate.tail.table import Table

__all__ = ["Columns", "Settings", "Table", "TailReport", "read_table", "tail_report"]
