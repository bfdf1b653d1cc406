"""What a caller sent, from the body of a request to checked fields."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any, NoReturn

from errors import (
    MalformedRequestError,
    MistypedFieldError,
    TooManyReviewsError,
    UnsupportedMediaTypeError,
)
from events import Request
from review_text.predict import MAX_REVIEWS

JSON = "application/json"
TEXT = "text/plain"

MAX_EXPLAINED = 20
"""Maximum reviews of a request that asks for reasons: each of them is up to 50 kB of answer."""

MAX_REQUEST_CHARACTERS = 1_000_000
"""Maximum length of all reviews of a request together, code points."""

# A fixed list: some of Python's other codecs take minutes for a hostile megabyte.
CHARSETS = {
    "utf-8": ("utf8",),
    "utf-16": (),
    "us-ascii": ("ascii",),
    "iso-8859-1": ("iso8859-1", "latin-1", "latin1"),
    "windows-1252": ("cp1252",),
}
"""Names of encodings: the IANA's, with others that are common."""
_NAMES = {name: charset for charset, others in CHARSETS.items() for name in (charset, *others)}


def read_body(request: Request, *accepted: str) -> tuple[str, str]:
    """Read media type and text of the body.

    Raises:
        UnsupportedMediaTypeError: not one of the ``accepted`` media types, or an unknown charset,
            or compressed.
        MalformedRequestError: the bytes are not text in that charset.
    """
    media_type, charset = _read_content_type(request, accepted)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaTypeError(
            f'The content encoding is "{encoding[:40]}"; send the body as it is.'
        )
    body = request.body
    if request.is_base64:
        body = _decode(_read_base64(body), charset)
    elif charset != "utf-8":
        # The gateway took the bytes for UTF-8, as it does with any text that can be read so.
        body = _decode(body.encode("utf-8", "surrogatepass"), charset)
    return media_type, body.removeprefix("\ufeff")


def parse_members(text: str, *names: str) -> dict[str, Any]:
    """Read an object that has the fields ``names``, and may have others.

    Raises:
        MalformedRequestError: not JSON, not an object, or without one of them.
    """
    members = _parse_json(text)
    if not isinstance(members, dict):
        raise MistypedFieldError("The body", members, f'an object with the field "{names[0]}"')
    for name in names:
        if name not in members:
            raise MalformedRequestError(f'The field "{name}" is missing.')
    return members


def parse_fields(text: str, name: str, **switches: bool) -> tuple[Any, ...]:
    """Read the field ``name``, which must be there, and the ``switches``, which need not: their
    values are those where they are left out.

    Raises:
        MalformedRequestError: not JSON, not an object, or not these fields.
    """
    fields = parse_members(text, name)
    unknown = sorted(fields.keys() - {name, *switches})
    if unknown:
        *others, last = (f'"{known}"' for known in (name, *switches))
        raise MalformedRequestError(
            f'Unknown field "{unknown[0][:40]}"; the fields are {", ".join(others)} and {last}.'
        )
    given = switches | fields
    for switch in switches:
        if not isinstance(given[switch], bool):
            raise MistypedFieldError(f'The field "{switch}"', given[switch], "true or false")
    return given[name], *(given[switch] for switch in switches)


def check_list(reviews: object, explain: bool) -> list[object]:
    """Check what a caller sent as a list of reviews.

    Raises:
        CallerError: it is not a list, or empty, or more than the function does in one request.
    """
    if not isinstance(reviews, list):
        raise MistypedFieldError('The field "reviews"', reviews, "an array of strings")
    if not reviews:
        raise MalformedRequestError('The field "reviews" is empty; send 1 to 100 reviews.')
    most = MAX_EXPLAINED if explain else MAX_REVIEWS
    if len(reviews) > most:
        with_reasons = " with reasons" if explain else ""
        raise TooManyReviewsError(
            f"The request has {len(reviews):,} reviews; the limit{with_reasons} is {most}."
        )
    characters = sum(len(review) for review in reviews if isinstance(review, str))
    if characters > MAX_REQUEST_CHARACTERS:
        raise TooManyReviewsError(
            f"The reviews have {characters:,} characters together; the limit of a request is "
            f"{MAX_REQUEST_CHARACTERS:,}."
        )
    return reviews


def _read_content_type(request: Request, accepted: tuple[str, ...]) -> tuple[str, str]:
    content_type = request.headers.get("content-type", "").lower()
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    if media_type not in accepted:
        raise UnsupportedMediaTypeError(
            f'The content type is "{media_type[:80]}"; send {" or ".join(accepted)}.'
        )
    named = dict(part.partition("=")[::2] for part in parameters).get("charset", "utf-8")
    charset = _NAMES.get(named.strip(' "'))
    if charset is None:
        raise UnsupportedMediaTypeError(f'The charset is "{named[:40]}"; send utf-8.')
    return media_type, charset


# "from None" below: the errors of codecs and of json hold the body that they complain about.


def _read_base64(body: str) -> bytes:
    try:
        return b64decode(body, validate=True)
    except ValueError:
        raise MalformedRequestError("The body is not the base64 that it is said to be.") from None


def _decode(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        raise MalformedRequestError(
            f"The body is not {charset}: see byte {error.start + 1}."
        ) from None


def _parse_json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedRequestError(
            f"The body is not JSON: see line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise MalformedRequestError("The body is nested too deeply.") from None
    except ValueError:
        # Python's limit on the digits of an integer is all that is left.
        raise MalformedRequestError("The body has a number with too many digits.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedRequestError(f"The body is not JSON: {name} is no number there.")
