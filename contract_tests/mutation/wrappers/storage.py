"""Storage faults: the read-back shows something else than was sent, as if it had been stored so.

A wrapper remembers what each accepted request sent, and changes one property of what the read-back shows. The app
itself stays as it is, so no fault needs to know how it stores anything.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.contract.spec import list_operations
from contract_tests.mutation.wrappers.behaviours import Behaviour, Handler, Wrap
from contract_tests.mutation.wrappers.wsgi import App, RequestReader, WsgiRequest, WsgiResponse, send_request

#: The rule of a text without a written length.
FREE_TEXT_RULE = "texts-unbounded"

CREATE, UPDATE = "createContainer", "updateContainer"
_NAMES = {CREATE: "create", UPDATE: "update"}
_STORED = {CREATE: "created-stored", UPDATE: "updated-stored"}
_KEPT_RULE = "update-keeps-omitted"


class Absent:
    """A value that was not sent, or is not shown."""


ABSENT = Absent()
Change = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Write:
    """An accepted request: its operation, and the value that it sent or ABSENT."""

    operation: str
    value: Any


#: What a property shows: from the value of the read-back and the writes, the newest last.
View = Callable[[Any, list[Write]], Any]


def list_storage_faults(document: Mapping[str, Any]) -> tuple[Behaviour, ...]:
    """Return the storage faults of every property of a document with its operations written out."""
    found: list[Behaviour] = []
    for operation in list_operations(document):
        if operation.id in _STORED:
            properties = operation.body_schema["properties"]
            names = [
                name for name in properties if name != "service_slug"
            ]  # the read-back is found by the slug
            for number, name in enumerate(names):
                found += _list_property_faults(operation.id, name, properties[name], number)
    return tuple(found)


def _list_property_faults(
    operation: str, name: str, schema: Mapping[str, Any], number: int
) -> Iterator[Behaviour]:
    default, stored = schema.get("default", ABSENT), (_STORED[operation],)
    views: list[tuple[str, tuple[str, ...], View]] = [("lost", stored, _lose(operation, default, _is_any))]
    if operation == UPDATE:
        views.append(("forgotten", (_KEPT_RULE,), _forget(default)))
    if not ({"enum", "anyOf", "format"} & set(schema)):  # these hold no other values that are valid
        if _shows_loss_of_empty(operation, schema):
            views.append(("lost-if-empty", stored, _lose(operation, default, _is_empty)))
        views += _list_changes(operation, schema, number)
    for label, rules, view in views:
        identifier = f"storage:{name}-{label}-on-{_NAMES[operation]}"
        yield Behaviour(identifier, "storage", rules, _show_otherwise(name, view), needs="read-back")


def _list_changes(
    operation: str, schema: Mapping[str, Any], number: int
) -> Iterator[tuple[str, tuple[str, ...], View]]:
    """Yield the views that change the value of a property according to its type."""
    stored, changes = (_STORED[operation],), dict(_CHANGES.get(schema["type"], {}))
    if schema["type"] in ("string", "array"):
        label, change = _TEXT_CHANGES[number % len(_TEXT_CHANGES)]
        changes[label] = _on_texts(change)
        texts = () if "maxLength" in schema else (FREE_TEXT_RULE,)
        for length in _CUTS:
            if length < schema.get("maxLength", length + 1):
                view = _change_sent(operation, _on_texts(_cut(length)))
                yield f"cut-to-{length}-characters", (*stored, *texts), view
    for label, change in changes.items():
        yield label, stored, _change_sent(operation, change)


def _is_any(_value: Any) -> bool:
    return True


def _is_empty(value: Any) -> bool:
    return value in (0, "", [])


def _shows_loss_of_empty(operation: str, schema: Mapping[str, Any]) -> bool:
    """Return whether the loss of an empty value shows: nothing says how the read-back shows an absent value."""
    if schema["type"] == "integer" and schema.get("minimum", 0) > 0:
        return False  # 0 is out of range
    return operation == UPDATE or ("default" in schema and schema["default"] != 0)


def _cut(length: int) -> Change:
    return lambda text: text[:length]


#: Lengths at which a careless server cuts texts.
_CUTS = (100, 255, 4096)
#: Each property gets one of these per operation, so that together they meet all of them.
_TEXT_CHANGES: tuple[tuple[str, Change], ...] = (
    ("trimmed", str.strip),
    ("stored-in-ascii", lambda text: text.encode("ascii", "replace").decode()),
    ("without-emoji", lambda text: "".join(c for c in text if ord(c) <= 0xFFFF)),
    ("with-escaped-markup", lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
    ("in-one-line", lambda text: text.replace("\r\n", " ").replace("\n", " ")),
    ("in-lower-case", str.lower),
)
_CHANGES: Mapping[str, Mapping[str, Change]] = {
    "array": {
        "reversed": lambda items: items[::-1],
        "sorted": lambda items: sorted(items, key=repr),
        "cut-to-one-item": lambda items: items[:1],
        "cut-to-16-items": lambda items: items[:16],
    },
    "integer": {"stored-as-text": str},
}


def _on_texts(change: Change) -> Change:
    """Return the change of every text within a value."""

    def change_texts(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list):
            return [change_texts(item) for item in value]
        return {key: change_texts(item) for key, item in value.items()} if isinstance(value, dict) else value

    return change_texts


def _change_sent(operation: str, change: Change) -> View:
    """Show what an operation sent otherwise."""

    def view(value: Any, writes: list[Write]) -> Any:
        sent = [write for write in writes if write.value is not ABSENT]
        return change(value) if sent and sent[-1].operation == operation else value

    return view


def _lose(operation: str, default: Any, lost: Callable[[Any], bool]) -> View:
    """Show a value that an operation sent as if it had not been sent."""

    def view(value: Any, writes: list[Write]) -> Any:
        sent = [write for write in writes if write.value is not ABSENT]
        if not sent or sent[-1].operation != operation or not lost(sent[-1].value):
            return value
        return sent[-2].value if len(sent) > 1 else default

    return view


def _forget(default: Any) -> View:
    """Show a value as if the update that left it out had reset it."""
    return lambda value, writes: (
        default if writes[-1].operation == UPDATE and writes[-1].value is ABSENT else value
    )


def _show_otherwise(name: str, view: View) -> Wrap:
    """Change one property of the read-back."""

    def wrap(app: App, reader: RequestReader) -> Handler:
        writes: dict[str, list[Write]] = {}

        def handle(request: WsgiRequest) -> WsgiResponse:
            response = send_request(app, request)
            operation, parameter = reader.find_operation(request)
            if not operation or not response.accepted:
                return response
            shown = response.read_object()
            if operation in _STORED:
                identifier = parameter or str(shown.get("id"))
                value = request.body.get(name)
                sent = ABSENT if value is None else value  # null is the same as leaving the property out
                writes.setdefault(identifier.lower(), []).append(Write(operation, sent))
                return response
            return _change_shown(response, name, view, writes.get(str(shown.get("id")).lower(), []))

        return handle

    return wrap


def _change_shown(response: WsgiResponse, name: str, view: View, writes: list[Write]) -> WsgiResponse:
    shown = response.read_object()
    if not writes or shown.get(name) is None:
        return response
    value = view(shown.pop(name), writes)
    return response.with_object(shown if value is ABSENT else {**shown, name: value})
