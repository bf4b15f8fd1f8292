"""The report on an episode's sound: what was done to it, drawn before and after."""

from pipeline.web.report.report import write_report

__all__ = [
    "write_report",
]
