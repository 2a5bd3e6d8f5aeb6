"""The validating proxy as a WSGI app: calls go on to a deployment, and both directions are held to the contract."""

import contextlib
import itertools
import logging
import secrets
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from flask import Flask
from werkzeug.wsgi import get_input_stream

from mock_server.admin import api
from mock_server.admin import pages as page
from mock_server.app.factory import MAX_BODY, respond
from mock_server.contract import loader, resources
from mock_server.contract.loader import STAGES, Contract, Operation, Violation
from mock_server.pipeline.mock import IN_CODE
from mock_server.proxy import verifier as verify
from mock_server.proxy.exchange import BrokenRequestError, Incoming, Passage, Record, Streamed, cleaned
from mock_server.proxy.headers import REPORT, Fields, dropped, forwarded, report, values
from mock_server.proxy.upstream import PREFIX, Answered, Target, Upstream, UpstreamError, decoded
from mock_server.proxy.verifier import Reply, Verifier
from mock_server.server.gateway import FIELDS
from mock_server.validation import callers as directory
from mock_server.validation.body import Call
from mock_server.web import responses
from mock_server.web.journal import KEPT, Journal
from mock_server.web.middleware import CONTROL, Environ, Front, StartResponse, sent_headers
from mock_server.web.redaction import Tokens
from mock_server.web.responses import Answer

#: An answer is held back until it is whole, or until so much of it has come: the report is a header.
HELD = 64 * 1024
_NO_BODY = (204, 304)


def create_proxy(
    upstream: str,
    *,
    callers: Path | None = None,
    spec: Path | None = None,
    without: frozenset[str] | set[str] = frozenset(),
    enforce: bool = False,
    strict: bool = False,
    timeout: float = 30,
    control: bool = True,
    log: Callable[[str], object] | None = None,
) -> "Proxy":
    """A WSGI app before the deployment whose API is at the base URL `upstream`.

    `callers` names the callers, and lets what depends on them be checked. With `enforce` a call or an answer that
    breaks a rule is refused; a rule that is only assumed counts with `strict` alone. `timeout` is in seconds.
    ValueError says what cannot be used.
    """
    loaded = loader.load(spec or resources.find("spec/openapi.yaml"), frozenset(without), frozenset(IN_CODE))
    served = replace(loaded, rules={**loaded.rules, **verify.OF_ANSWERS})
    known = directory.load(callers) if callers else None
    tokens = Tokens(known.callers if known else ())
    journal = Journal(tokens)
    reached = Upstream(upstream, timeout)
    enforced = _counts(strict) if enforce else lambda _violation: False
    return Proxy(
        served,
        reached,
        Verifier(served, known, MAX_BODY),
        Record(journal, tokens, log),
        tokens,
        enforced,
        _pages(served, journal, tokens, reached.url, log) if control else None,
    )


def _counts(strict: bool) -> Callable[[Violation], bool]:
    return lambda violation: strict or violation.rule.grade != "assumed"


def _pages(
    served: Contract, journal: Journal, tokens: Tokens, upstream: str, log: Callable[[str], object] | None
) -> Flask:
    """What the proxy answers itself: the page, the journal, its health."""
    app = Flask("mock_server", static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False
    api.register_journal(app, served, journal, respond)
    page.register(app, journal, (served,), server=PREFIX, title=f"proxy of {upstream}")
    app.wsgi_app = Front(app.wsgi_app, journal, tokens, MAX_BODY, False, log)  # type: ignore[method-assign]
    return app


class Proxy:
    """The app. Nothing of a call is kept but what the journal holds."""

    def __init__(
        self,
        served: Contract,
        upstream: Upstream,
        verifier: Verifier,
        record: Record,
        tokens: Tokens,
        enforced: Callable[[Violation], bool],
        pages: Flask | None,
    ) -> None:
        self._served, self._upstream, self._verifier = served, upstream, verifier
        self._record, self._tokens, self._enforced, self._pages = record, tokens, enforced, pages
        self._name = f"mock-server-{secrets.token_hex(4)}"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request, by the upstream's answer or a problem document."""
        if self._pages is not None and _is_own(self._pages, environ):
            return self._pages(environ, start_response)
        passage = self._arrived(environ)
        try:
            return self._passed(passage, start_response)
        except UpstreamError as error:
            failed = responses.problem(error.status, str(error))
        except BrokenRequestError as error:
            failed = responses.problem(400, str(error))
        except Exception as error:
            # What an exception says may repeat what was sent; where it comes from does not.
            places = "".join(traceback.format_tb(error.__traceback__))
            said = f"the proxy failed: {type(error).__name__}\n{places}"
            logging.getLogger(__name__).error(said)  # noqa: TRY400 - see above
            failed = responses.problem(500, "the proxy failed; its log says where: please report it")
        return self._answered(passage, failed, start_response)

    def _arrived(self, environ: Environ) -> Passage:
        fields: Fields = environ.get(FIELDS) or list(sent_headers(environ).items())
        uri = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
        target = self._upstream.target(uri)
        passage = Passage(environ, fields, target, Incoming(get_input_stream(environ)))
        for operation in self._served.operations:
            named = _values(operation, environ["REQUEST_METHOD"], target)
            if named is not None:
                passage.operation = operation
                passage.call = Call(sent_headers(environ), b"", 0, named)
        return passage

    def _passed(self, passage: Passage, start_response: StartResponse) -> Iterable[bytes]:
        if any(self._name in via for via in values(passage.fields, "via")):
            raise UpstreamError(508, "the upstream forwards to this proxy; give --upstream another URL")
        self._check(passage)
        refused = [violation for violation in passage.violations if self._enforced(violation)]
        if refused:
            clean = self._cleaned(passage, _first_stage(refused))
            return self._answered(passage, responses.refusal(clean), start_response)
        version = passage.environ["SERVER_PROTOCOL"].removeprefix("HTTP/")
        fields = dropped(forwarded(passage.fields, version, self._name), "host")
        method, body = (
            passage.environ["REQUEST_METHOD"],
            passage.body.to_send(values(fields, "content-length")),
        )
        answered = self._upstream.send(method, passage.target, fields, body)
        try:
            passage.body.drain()
            return self._returned(passage, answered, start_response)
        except BaseException:
            answered.close()
            raise

    def _check(self, passage: Passage) -> None:
        """Holds a call to the contract; what is no call of it goes on unread."""
        if passage.operation is None or passage.call is None:
            if not _may_have_body(passage):
                passage.body.begin(0)
            return
        raw = passage.body.begin(MAX_BODY)
        coding = ",".join(values(passage.fields, "content-encoding"))
        plain = decoded(raw, coding, MAX_BODY)
        body = raw if plain is None else plain
        passage.call = passage.call._replace(raw=body[:MAX_BODY], size=len(body))
        passage.caller, passage.violations = self._verifier.request(
            passage.operation, passage.call, readable=plain is not None
        )

    def _returned(
        self, passage: Passage, answered: Answered, start_response: StartResponse
    ) -> Iterable[bytes]:
        """What came back: reported where it can still be, refused where it must be, else as it came."""
        fields = forwarded(answered.fields, answered.version, self._name)
        parts, ended = answered.parts(), False
        if passage.operation is not None:
            held, ended = _held(parts)
            body = b"".join(part for part in held if isinstance(part, bytes))
            found = self._judged(passage, answered, body if ended else None)
            refused = [violation for violation in found if self._enforced(violation)]
            if refused:
                answered.close()
                why = "the answer of the upstream breaks the contract and is held back"
                given = responses.problem(502, why, self._cleaned(passage, refused))
                return self._answered(passage, given, start_response)
            fields = [*dropped(fields, REPORT.lower()), (REPORT, report(passage.violations))]
            parts = _resumed(held, parts)
        passage.status, passage.answer_fields = answered.status, fields
        if ended or passage.environ["REQUEST_METHOD"] == "HEAD" or answered.status in _NO_BODY:
            whole = b"".join(parts)
            answered.close()
            start_response(f"{answered.status} {answered.reason}", fields)
            self._record.note(passage, whole)
            return [whole]
        start_response(f"{answered.status} {answered.reason}", fields)
        keep = KEPT if passage.operation is None else MAX_BODY + 1
        return Streamed(parts, keep, lambda kept, whole: self._ended(passage, answered, kept, whole))

    def _judged(self, passage: Passage, answered: Answered, body: bytes | None) -> list[Violation]:
        """What an answer breaks; it is added to what is known of the passage."""
        if passage.operation is None or passage.call is None:
            return []
        types, codings = (
            ",".join(values(answered.fields, name)) for name in ("content-type", "content-encoding")
        )
        plain = None if body is None else decoded(body, codings, MAX_BODY)
        reply = Reply(answered.status, types, None if plain is None or len(plain) > MAX_BODY else plain)
        known = set(map(_key, passage.violations))
        broken = [violation for violation in passage.violations if violation.fault.where != "answer"]
        found = self._verifier.answer(passage.operation, passage.call, broken, reply)
        passage.violations = passage.violations + [v for v in found if _key(v) not in known]
        return found

    def _cleaned(self, passage: Passage, violations: list[Violation]) -> tuple[Violation, ...]:
        header = passage.environ.get("HTTP_AUTHORIZATION")
        return cleaned(violations, lambda text: self._tokens.hidden(text, header))

    def _ended(self, passage: Passage, answered: Answered, kept: bytes, whole: bool) -> None:
        """An answer that was passed on as it came is over: only now can the whole of it be judged."""
        answered.close()
        if whole:
            self._judged(passage, answered, kept)
        self._record.note(passage, kept, whole=whole)

    def _answered(self, passage: Passage, given: Answer, start_response: StartResponse) -> list[bytes]:
        """An answer of the proxy's own; the body of the call is read all the same, so that its sender reads it."""
        with contextlib.suppress(BrokenRequestError):
            passage.body.drain()
        length = str(len(given.body))
        fields = [("Content-Type", given.media_type), ("Content-Length", length), *given.headers.items()]
        if passage.operation is not None:
            fields.append((REPORT, report(passage.violations)))
        passage.status, passage.answer_fields = given.status, fields
        start_response(f"{given.status} {responses.phrase(given.status)}", fields)
        self._record.note(passage, given.body)
        return [given.body]


def _is_own(pages: Flask, environ: Environ) -> bool:
    """Whether the proxy has a page of that path and method; all else is the upstream's."""
    path: str = environ["PATH_INFO"]
    return path.startswith(CONTROL) and pages.url_map.bind("").test(path, environ["REQUEST_METHOD"])


def _values(operation: Operation, method: str, target: Target) -> dict[str, str] | None:
    """The values of the path of an operation, None where the request is for another."""
    template = operation.path.split("/")[1:]
    if method != operation.method or target.segments is None or len(template) != len(target.segments):
        return None
    found: dict[str, str] = {}
    for part, given in zip(template, target.segments, strict=True):
        if part.startswith("{") and given:
            found[part[1:-1]] = given
        elif part != given:
            return None
    return found


def _may_have_body(passage: Passage) -> bool:
    """Whether its headers announce a body."""
    return bool({"content-length", "transfer-encoding"} & {name.lower() for name, _ in passage.fields})


def _first_stage(violations: list[Violation]) -> list[Violation]:
    """The violations of the first stage that has any: what the mock would refuse the call for."""
    stage = min(STAGES.index(violation.rule.stage) for violation in violations)
    return [violation for violation in violations if violation.rule.stage == STAGES[stage]]


def _key(violation: Violation) -> tuple[str, str, str]:
    return violation.rule.id, violation.fault.where, violation.fault.pointer


def _held(parts: Iterator[bytes]) -> tuple[list[bytes | UpstreamError], bool]:
    """What comes until it is enough, or breaks off, and whether it is the whole."""
    held: list[bytes | UpstreamError] = []
    size = 0
    try:
        for part in parts:
            held.append(part)
            size += len(part)
            if size > HELD:
                return held, False
    except UpstreamError as error:
        return [*held, error], False
    return held, True


def _resumed(held: list[bytes | UpstreamError], parts: Iterator[bytes]) -> Iterator[bytes]:
    """What was held back, as it came, and what follows."""
    for part in itertools.chain(held, parts):
        if isinstance(part, UpstreamError):
            raise part
        yield part
