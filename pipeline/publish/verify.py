"""Look at what was published from outside, as a player would: over HTTP, through the public address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit

from pipeline.errors import CauserieError, Problems
from pipeline.publish.headers import IMMUTABLE
from pipeline.publish.tree import MEDIA, TEXTS, PublicFile
from pipeline.text import printable

_TIMEOUT_S = 20
ORIGIN = "https://player.example"  # any other site: web players fetch transcripts and chapters from theirs


@dataclass(frozen=True)
class Answer:
    """What a server said: status 0 when it said nothing, then `reason` tells why. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


def verify(base_url: str, files: Iterable[PublicFile]) -> tuple[str, ...]:
    """Check every file below `base_url`; returns advice, raises `Problems` for what would break a player."""
    if urlsplit(base_url).scheme not in {"http", "https"}:
        raise CauserieError("is not an http address", base_url, "correct website in show.toml")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda file: _verified(base_url, file), files))
    problems = tuple(problem for problems, _ in found for problem in problems)
    if problems:
        raise Problems(grouped(problems))
    return tuple(dict.fromkeys(line for _, advice in found for line in advice))


def grouped(problems: Iterable[CauserieError]) -> tuple[CauserieError, ...]:
    """One problem for all the addresses that have the same: a closed bucket is one thing to mend, not sixty. Pure."""
    alike: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        alike.setdefault((problem.message, problem.hint), []).append(problem.where)
    return tuple(
        CauserieError(message, f"{urls[0]} and {len(urls) - 1} more" if len(urls) > 1 else urls[0], hint)
        for (message, hint), urls in alike.items()
    )


def problems_of(file: PublicFile, url: str, head: Answer) -> tuple[CauserieError, ...]:
    """What is wrong with the answer to HEAD. Pure."""
    if head.status != 200:
        said = f"answers {head.status} instead of 200" if head.status else f"cannot be reached ({head.reason})"
        return (CauserieError(said, url, "check website in show.toml, and that the bucket may be read by everybody"),)
    problems = []
    if _media_type(head.headers.get("content-type", "")) != _media_type(file.content_type):
        said = f"says Content-Type {printable(head.headers.get('content-type', 'nothing'))} instead of {file.content_type}"
        problems.append(CauserieError(said, url, "correct what stands before the bucket"))
    if head.headers.get("content-encoding", "identity") != "identity":
        problems.append(CauserieError("is sent with a Content-Encoding", url, "switch compression off in front of the bucket"))
    elif head.headers.get("content-length") != str(file.bytes) and file.cache_control == IMMUTABLE:
        said = printable(head.headers.get("content-length", "no"))
        problems.append(CauserieError(f"has {said} bytes instead of {file.bytes}", url, "empty the cache before the bucket"))
    return tuple(problems)


def advice_of(file: PublicFile, head: Answer) -> tuple[str, ...]:
    """What a producer should know, and that breaks no app."""
    lines = []
    if file.rank == TEXTS and head.headers.get("access-control-allow-origin") not in {"*", ORIGIN}:
        lines.append("transcripts and chapters are sent without Access-Control-Allow-Origin: web players cannot show them")
    if file.cache_control != IMMUTABLE and head.headers.get("content-length") != str(file.bytes):
        lines.append("a cache still serves older pages; it should not keep them longer than five minutes")
    return tuple(lines)


def range_problems(file: PublicFile, url: str, answer: Answer) -> tuple[CauserieError, ...]:
    """What is wrong with the answer to a request for the first two bytes. Pure."""
    if answer.status == 206 and answer.headers.get("content-range", "").strip() == f"bytes 0-1/{file.bytes}":
        return ()
    return (CauserieError(f"answers {answer.status} to a request for a byte range", url, "serve it where players can jump in the audio"),)


def ask(url: str, method: str = "HEAD", **headers: str) -> Answer:
    """One request, tried twice when the network or the server stumbles."""
    answer = _asked(url, method, headers)
    return _asked(url, method, headers) if answer.status in {0, 429, 500, 502, 503, 504} else answer


def _verified(base_url: str, file: PublicFile) -> tuple[tuple[CauserieError, ...], tuple[str, ...]]:
    """Problems and advice for one file."""
    url = f"{base_url.rstrip('/')}/{quote(file.key)}"
    head = ask(url, Origin=ORIGIN)
    problems = problems_of(file, url, head)
    if file.rank == MEDIA and not problems:
        problems = range_problems(file, url, ask(url, "GET", Range="bytes=0-1"))
    return problems, () if problems else advice_of(file, head)


def _asked(url: str, method: str, headers: Mapping[str, str]) -> Answer:
    """One request; at most a few bytes of the body are read."""
    from urllib.request import Request, urlopen

    request = Request(url, method=method, headers={"User-Agent": "causerie", "Accept-Encoding": "identity", **headers})
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310 - the scheme was checked
            return Answer(response.status, {name.lower(): value for name, value in response.headers.items()})
    except HTTPError as error:
        error.close()
        return Answer(error.code, {name.lower(): value for name, value in error.headers.items()})
    except (URLError, HTTPException, OSError, ValueError) as error:
        return Answer(0, reason=type(getattr(error, "reason", error)).__name__)


def _media_type(value: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    return value.split(";")[0].strip().lower()
