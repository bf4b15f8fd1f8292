"""The report of a publication, kept next to the ledger: JSON for programs, HTML for people, in the language of the show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.engine import write_atomic, write_json
from pipeline.model import format_bytes
from pipeline.publish.verify import Check
from pipeline.templates import environment, labels


@dataclass(frozen=True)
class PublishReport:
    """What one publication did, or would do. Its fields are keys of the JSON report and are used by the HTML template."""

    target: str
    at: str  # ISO 8601
    sent: tuple[str, ...]  # keys in the order they were sent, including those of which only the headers changed
    bytes: int  # of content sent
    unchanged: int  # files
    subscribers: tuple[str, ...] = ()  # the changes that subscribers will notice
    back_to: int = 0  # the publication that a rollback restored; 0 when it was not a rollback
    deleted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # advice for the producer
    number: int = 0  # 0 when nothing was sent
    seconds: float = 0.0

    @property
    def nothing_changed(self) -> bool:
        """Whether nothing was sent or deleted."""
        return not self.sent and not self.deleted


def summary(report: PublishReport) -> str:
    """Return one line that sums up the publication."""
    deleted = f", {len(report.deleted)} deleted" if report.deleted else ""
    if report.nothing_changed:
        return f"nothing to send: {report.target} is up to date"
    what = f"rolled back to publication {report.back_to} on {report.target}" if report.back_to else f"published to {report.target}"
    rate = (
        f" in {report.seconds:.0f} s, {format_bytes(round(report.bytes / report.seconds))}/s"
        if report.seconds >= 2 and report.bytes > 10**6
        else ""
    )
    return f"{what}: {len(report.sent)} sent ({format_bytes(report.bytes)}{rate}), {report.unchanged} unchanged{deleted}"


def write_report(folder: Path, report: PublishReport, sizes: Mapping[str, int], checks: Sequence[Check], title: str, language: str) -> None:
    """Write `NNNN.json` and `NNNN.html` into `folder`; `sizes` are the bytes of what was sent, by key."""
    path = folder / f"{report.number:04}"
    value = {
        **asdict(report),
        "seconds": round(report.seconds, 1),
        "sent": [{"key": key, "bytes": sizes.get(key, 0)} for key in report.sent],
    }
    rows = [{key: item for key, item in asdict(check).items() if item is not None} for check in checks]
    write_json(path.with_suffix(".json"), {"version": 1, **value, "checks": rows})
    write_atomic(path.with_suffix(".html"), render_page(report, sizes, checks, title, language))


def render_page(report: PublishReport, sizes: Mapping[str, int], checks: Sequence[Check], title: str, language: str) -> str:
    """Render the report as one self-contained HTML page. Pure."""
    words = labels("publication", language)
    return (
        environment("publication")
        .get_template("publication.html.j2")
        .render(done=report, sizes=sizes, checks=checks, title=title, language=language, size=format_bytes, words=words)
    )
