"""What directories require of a feed and its files: all rules, and their findings. No score: errors to fix, advice to consider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pipeline.feed import rules_episodes, rules_file, rules_item, rules_podcasting, rules_served, rules_show
from pipeline.feed.parsed import Entry, Feed
from pipeline.feed.rule import ADDRESS, EPISODE, EPISODES, FILES, SHOW, File, Finding, Rule, Served, Use

_ALL = (rules_show, rules_episodes, rules_item, rules_podcasting, rules_file, rules_served)
RULES: tuple[Rule, ...] = tuple(rule for each in _ALL for rule in each.RULES)
PACKS = ("Apple", "Spotify", "Podcast Index", "PSP-1", "Amazon")


def uses(feed: Feed) -> Iterator[Use]:
    """Every file in a feed that a rule checks, in the order of the feed."""
    for entry, item in ((feed.channel, None), *((item, item) for item in feed.items)):
        for tag in entry.all("itunes:image"):
            yield Use("cover", tag.get("href"), tag, item)
        for tag in entry.all("enclosure"):
            yield Use("audio", tag.get("url"), tag, item)
        for tag in entry.all("podcast:alternateEnclosure"):
            for source in tag.children:
                if source.name == "podcast:source":
                    yield Use("alternate", source.get("uri"), tag, item)
        for name in ("transcript", "chapters"):
            for tag in entry.all(f"podcast:{name}"):
                yield Use(name, tag.get("url"), tag, item)


def own_address(feed: Feed) -> Iterator[Use]:
    """The feed's own URL, as a reference."""
    return (Use("feed", tag.get("href"), tag, None) for tag in feed.channel.all("atom:link") if tag.get("rel") == "self")


def findings(
    feed: Feed,
    files: Mapping[str, File],
    where: str = "feeds/feed.xml",
    served: Mapping[str, Served] | None = None,
) -> tuple[Finding, ...]:
    """The findings of all rules on a feed, its known `files` and the HTTP responses in `served`, both by URL; errors first. Pure."""
    behind = dict.fromkeys(FILES, files)
    found = [*_of_show(feed, where), *_of_episodes(feed, where)]
    found += _of_uses(uses(feed), behind, where) if files else ()
    found += _of_uses((*own_address(feed), *uses(feed)), {ADDRESS: served}, where) if served else ()
    return tuple(sorted(found, key=lambda finding: finding.level != "error"))


def grouped(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The first finding of each rule, with the number of similar ones: one thing to fix, not ten thousand."""
    count = Counter(finding.rule for finding in found)
    first = {finding.rule: finding for finding in reversed(found)}
    more = {name: f", and {count[name] - 1} more like it" if count[name] > 1 else "" for name in count}
    return tuple(Finding(**{**vars(one), "problem": one.problem + more[one.rule]}) for one in found if first[one.rule] is one)


def table() -> str:
    """Every rule as rows of Markdown, for `docs/directories.md`."""
    rows = [f"| {rule.pack} | `{rule.name}` | {rule.level} | {rule.source} | {rule.remedy} |" for pack in PACKS for rule in _of(pack)]
    return "\n".join(["| pack | rule | level | source | remedy |", "| --- | --- | --- | --- | --- |", *rows])


def _of(pack: str) -> Iterator[Rule]:
    return (rule for rule in RULES if rule.pack == pack)


def _looking_at(what: str) -> list[Rule]:
    return [rule for rule in RULES if rule.looks_at == what]


def _of_show(feed: Feed, where: str) -> Iterator[Finding]:
    for rule in _looking_at(SHOW):
        if problem := rule.breaks(feed):
            yield _finding(rule, f"{where}:{feed.channel.line}", "the show", str(problem))


def _of_episodes(feed: Feed, where: str) -> Iterator[Finding]:
    rules = [(rule, rule.breaks) for rule in _looking_at(EPISODE)]
    for item in feed.items:
        for rule, breaks in rules:
            if problem := breaks(item, feed):
                yield _finding(rule, f"{where}:{item.line}", _named(item), str(problem))
    for rule in _looking_at(EPISODES):
        rows = rule.breaks(feed)
        for item, text in () if isinstance(rows, str) else rows:
            yield _finding(rule, f"{where}:{item.line}", _named(item), text)


def _of_uses(used: Iterable[Use], facts: Mapping[str, Mapping[str, File] | Mapping[str, Served]], where: str) -> Iterator[Finding]:
    """The findings on references; `results_by_scope` holds files or responses, by scope and then by URL."""
    rules = {what: _looking_at(what) for what in facts}
    told: set[tuple[str, str]] = set()  # a cover shared by ten episodes is reported once
    for use in used:
        what = ADDRESS if ADDRESS in facts else use.kind
        fact = facts[what].get(use.url)
        for rule in rules[what] if fact else ():
            if (problem := rule.breaks(use, fact)) and (rule.name, use.url) not in told:
                told.add((rule.name, use.url))
                yield _finding(rule, f"{where}:{use.tag.line}", use.url.rpartition("/")[2][:80], str(problem))


def _finding(rule: Rule, where: str, what: str, problem: str) -> Finding:
    return Finding(rule.level, rule.pack, rule.name, rule.source, where, f"{what} {problem}", rule.remedy)


def _named(item: Entry) -> str:
    title = item.text("title")
    return f"“{title[:60]}”" if title else "an episode"
