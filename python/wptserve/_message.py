"""Header fields as the standard library's message objects, with case, order and repeats kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, TypeVar

if TYPE_CHECKING:
    from email.message import Message

    M = TypeVar("M", bound=Message)


def message_from_fields(cls: type[M], fields: Iterable[tuple[str, str]]) -> M:
    """A message of type `cls` with these fields and no body, as the email parser would leave it."""
    message = cls()
    for name, value in fields:
        message.set_raw(name, value)
    # str() walks the body by content type, so a message/* type needs an inner message there.
    message.set_payload([cls()] if message.get_content_maintype() == "message" else "")
    return message
