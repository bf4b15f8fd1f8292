"""What directories require of a feed and its files: all rules, and their findings. No score: errors to fix, advice to consider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pipeline.feed.rules import channel as channel_rules
from pipeline.feed.rules import episodes as episodes_rules
from pipeline.feed.rules import files as file_rules
from pipeline.feed.rules import http as http_rules
from pipeline.feed.rules import item as item_rules
from pipeline.feed.rules import podcasting20
from pipeline.feed.rules.feed_reader import Entry, Feed
from pipeline.feed.rules.rule import ADDRESS, EPISODE, EPISODES, FILES, SHOW, FileReference, Finding, HttpProbe, LocalFile, Rule

_RULE_MODULES = (channel_rules, episodes_rules, item_rules, podcasting20, file_rules, http_rules)
RULES: tuple[Rule, ...] = tuple(rule for each in _RULE_MODULES for rule in each.RULES)
PACKS = ("Apple", "Spotify", "Podcast Index", "PSP-1", "Amazon")


def file_references(feed: Feed) -> Iterator[FileReference]:
    """Every file in a feed that a rule checks, in the order of the feed."""
    for entry, item in ((feed.channel, None), *((item, item) for item in feed.items)):
        for tag in entry.find_all("itunes:image"):
            yield FileReference("cover", tag.get("href"), tag, item)
        for tag in entry.find_all("enclosure"):
            yield FileReference("audio", tag.get("url"), tag, item)
        for tag in entry.find_all("podcast:alternateEnclosure"):
            for source in tag.children:
                if source.name == "podcast:source":
                    yield FileReference("alternate", source.get("uri"), tag, item)
        for name in ("transcript", "chapters"):
            for tag in entry.find_all(f"podcast:{name}"):
                yield FileReference(name, tag.get("url"), tag, item)


def self_references(feed: Feed) -> Iterator[FileReference]:
    """The feed's own URL, as a reference."""
    return (FileReference("feed", tag.get("href"), tag, None) for tag in feed.channel.find_all("atom:link") if tag.get("rel") == "self")


def check_feed(
    feed: Feed,
    files: Mapping[str, LocalFile],
    where: str = "feeds/feed.xml",
    served: Mapping[str, HttpProbe] | None = None,
) -> tuple[Finding, ...]:
    """The findings of all rules on a feed, its known `files` and the HTTP responses in `served`, both by URL; errors first. Pure."""
    files_by_scope = dict.fromkeys(FILES, files)
    results = [*_channel_findings(feed, where), *_episode_findings(feed, where)]
    results += _file_findings(file_references(feed), files_by_scope, where) if files else ()
    results += _file_findings((*self_references(feed), *file_references(feed)), {ADDRESS: served}, where) if served else ()
    return tuple(sorted(results, key=lambda finding: finding.level != "error"))


def group_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The first finding of each rule, with the number of similar ones: one thing to fix, not ten thousand."""
    count = Counter(finding.rule for finding in findings)
    first_by_rule = {finding.rule: finding for finding in reversed(findings)}
    suffix_by_rule = {name: f", and {count[name] - 1} more like it" if count[name] > 1 else "" for name in count}
    return tuple(
        Finding(**{**vars(one), "problem": one.problem + suffix_by_rule[one.rule]}) for one in findings if first_by_rule[one.rule] is one
    )


def rules_table() -> str:
    """Every rule as rows of Markdown, for `docs/directories.md`."""
    rows = [
        f"| {rule.pack} | `{rule.name}` | {rule.level} | {rule.source} | {rule.remedy} |" for pack in PACKS for rule in _rules_of_pack(pack)
    ]
    return "\n".join(["| pack | rule | level | source | remedy |", "| --- | --- | --- | --- | --- |", *rows])


def _rules_of_pack(pack: str) -> Iterator[Rule]:
    return (rule for rule in RULES if rule.pack == pack)


def _rules_for(scope: str) -> list[Rule]:
    return [rule for rule in RULES if rule.scope == scope]


def _channel_findings(feed: Feed, where: str) -> Iterator[Finding]:
    for rule in _rules_for(SHOW):
        if problem := rule.check(feed):
            yield _to_finding(rule, f"{where}:{feed.channel.line}", "the show", str(problem))


def _episode_findings(feed: Feed, where: str) -> Iterator[Finding]:
    rules = [(rule, rule.check) for rule in _rules_for(EPISODE)]
    for item in feed.items:
        for rule, check in rules:
            if problem := check(item, feed):
                yield _to_finding(rule, f"{where}:{item.line}", _item_label(item), str(problem))
    for rule in _rules_for(EPISODES):
        rows = rule.check(feed)
        for item, text in () if isinstance(rows, str) else rows:
            yield _to_finding(rule, f"{where}:{item.line}", _item_label(item), text)


def _file_findings(
    references: Iterable[FileReference], results_by_scope: Mapping[str, Mapping[str, LocalFile] | Mapping[str, HttpProbe]], where: str
) -> Iterator[Finding]:
    """The findings on references; `results_by_scope` holds files or responses, by scope and then by URL."""
    rules = {scope: _rules_for(scope) for scope in results_by_scope}
    reported: set[tuple[str, str]] = set()  # a cover shared by ten episodes is reported once
    for reference in references:
        what = ADDRESS if ADDRESS in results_by_scope else reference.kind
        result = results_by_scope[what].get(reference.url)
        for rule in rules[what] if result else ():
            if (problem := rule.check(reference, result)) and (rule.name, reference.url) not in reported:
                reported.add((rule.name, reference.url))
                yield _to_finding(rule, f"{where}:{reference.tag.line}", reference.url.rpartition("/")[2][:80], str(problem))


def _to_finding(rule: Rule, where: str, subject: str, problem: str) -> Finding:
    return Finding(rule.level, rule.pack, rule.name, rule.source, where, f"{subject} {problem}", rule.remedy)


def _item_label(item: Entry) -> str:
    title = item.text("title")
    return f"“{title[:60]}”" if title else "an episode"
