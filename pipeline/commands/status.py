"""`causerie status`: episodes and steps, what is stale and why, and what waits for a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pipeline.commands.completeness import pending_passages
from pipeline.commands.console import to_dict
from pipeline.commands.pending import folders_left_out, orphaned_texts, pending_work
from pipeline.commands.workspace import load_show
from pipeline.engine import FileCache, Result, preview
from pipeline.plan import plan_steps


def format_status(root: Path, *, at: datetime, as_json: bool) -> str:
    """The status of every step by episode, with the reason when it is not current, and what waits for a person."""
    show = load_show(root)
    results = list(preview(plan_steps(show, at), root))
    if as_json:
        return "\n".join(json.dumps(to_dict(result), ensure_ascii=False) for result in results)
    lines = []
    for name in (*(episode.slug for episode in show.episodes), "show"):
        own = [result for result in results if result.step.episode == name]
        counts = Counter(result.status for result in own)
        lines.append(f"{name}: {', '.join(f'{number} {status}' for status, number in sorted(counts.items()))}")
        lines += [f"  {', '.join(kinds)}: {what}" for what, kinds in _group_by_reason(own).items()]
    lines += [f"waits for you: {sentence}" for episode in show.episodes for sentence in pending_work(root, episode, at)]
    cache = FileCache(root)
    lines += [f"waits for you: {sentence}" for episode in show.episodes for sentence in pending_passages(root, episode, cache)]
    cache.save()
    lines += [f"waits for you: {sentence}" for sentence in orphaned_texts(root, [episode.slug for episode in show.episodes])]
    lines += [f"waits for you: {sentence}" for sentence in folders_left_out(root)]
    return "\n".join(lines)


def _group_by_reason(results: Sequence[Result]) -> dict[str, list[str]]:
    """The kinds of step that are not current, by status and reason."""
    groups: dict[str, list[str]] = {}
    for result in results:
        if result.status != "current":
            why = "depends on a stale step" if result.why.startswith("depends on ") else result.why
            status = "left out" if result.status == "omitted" else result.status
            groups.setdefault(f"{status}: {why}", []).append(result.step.kind)
    return groups
