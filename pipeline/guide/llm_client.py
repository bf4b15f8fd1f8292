"""Client for an optional language model: an OpenAI-compatible `chat/completions` endpoint, on this machine by default.

Failures are returned as a reason, not raised: the draft is then made without the model. Redirects and proxies are refused, so that
the transcript is sent only to the endpoint in `show.toml`. The API key, if any, is read from the environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from pipeline.engine import read_json, report, to_json, write_json
from pipeline.model import GuideModel

API_KEY_VARIABLE = "CAUSERIE_GUIDE_KEY"  # environment variable
RESPONSE_BYTES_MAX = 1_000_000
_ATTEMPTS = 2
JsonObject = dict[str, object]


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str) -> None:
        """Refuse to follow: a redirect would send the transcript to another address."""
        return None


def request_completion(
    model: GuideModel, messages: list[dict[str, str]], schema: JsonObject, cache_folder: Path | None = None
) -> tuple[JsonObject | None, str]:
    """Return the model's JSON answer and an empty string, or None and the reason why there is none.

    Answers are cached in `cache_folder`, under the digest of the request.
    """
    form = {"type": "json_schema", "json_schema": {"name": "guide", "strict": True, "schema": schema}}
    body = json.dumps({"model": model.name, "messages": messages, "temperature": 0, "seed": 0, "response_format": form}, ensure_ascii=False)
    digest = hashlib.sha256(f"{model.endpoint}\n{body}".encode()).hexdigest()
    cached = cache_folder / f"{digest}.json" if cache_folder else None
    if cached and cached.is_file():
        return read_json(cached), ""
    reason = ""
    for _ in range(_ATTEMPTS):
        answer, reason = _attempt(model, body.encode())
        if not reason:
            if cached:
                cached.parent.mkdir(parents=True, exist_ok=True)
                write_json(cached, answer)
            return answer, ""
    return None, reason


def _attempt(model: GuideModel, body: bytes) -> tuple[JsonObject | None, str]:
    """Send the request once; return the content of the first choice, as JSON."""
    try:
        reply = json.loads(_post(model, body))
        content = json.loads(reply["choices"][0]["message"]["content"])
        to_json(content).encode()  # raises for what JSON or UTF-8 cannot hold: NaN, lone surrogates
        return (content, "") if isinstance(content, dict) else (None, "its answer is not a JSON object")
    except HTTPError as error:
        return None, f"it answered {error.code}"
    except TimeoutError:
        return None, f"it took more than {model.timeout_s:g} s"
    except (URLError, HTTPException, OSError) as error:
        timed_out = isinstance(getattr(error, "reason", None), TimeoutError)
        return None, f"it took more than {model.timeout_s:g} s" if timed_out else "it cannot be reached"
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None, "its answer does not have the requested form"


def _post(model: GuideModel, body: bytes) -> bytes:
    """Return the response's bytes; `TimeoutError` when the whole response takes longer than `model.timeout_s`."""
    key = os.environ.get(API_KEY_VARIABLE, "")
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    request = Request(f"{model.endpoint.rstrip('/')}/chat/completions", body, headers)
    started, received = time.monotonic(), b""
    report(0.0, model.timeout_s)
    with build_opener(_NoRedirects, ProxyHandler({})).open(request, timeout=model.timeout_s) as reply:
        while chunk := reply.read1(65_536):
            received += chunk
            spent_s = time.monotonic() - started
            if spent_s > model.timeout_s:
                raise TimeoutError
            if len(received) > RESPONSE_BYTES_MAX:
                raise ValueError("too long")
            report(spent_s, model.timeout_s)
    return received
