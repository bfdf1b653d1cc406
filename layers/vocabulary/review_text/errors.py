"""What can be wrong with a review that somebody sent."""

from __future__ import annotations


class CallerError(Exception):
    """What was sent has a fault; the message tells the caller which one and what would be right."""


class MalformedRequestError(CallerError):
    """The body is not what the route takes."""


class MistypedFieldError(MalformedRequestError):
    """A field of the body has a JSON type that it cannot have."""

    def __init__(self, name: str, value: object, wanted: str) -> None:
        super().__init__(
            f"{name} is {_JSON_TYPES.get(type(value), 'something else')}; send {wanted}."
        )


_JSON_TYPES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class EmptyReviewError(CallerError):
    """The review has no characters."""


class ReviewTooLongError(CallerError):
    """The review has more characters than a review may have."""


class NoWordsError(CallerError):
    """The review has characters, and no word among them."""
