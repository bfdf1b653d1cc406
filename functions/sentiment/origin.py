"""Whether a request came through CloudFront, and so past WAF and with the website's headers.

The API's own address is public, and API Gateway cannot close it to everybody but CloudFront. So
CloudFront adds a header that only it and this function know the value of.
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest

from errors import WrongOriginError

HEADER = "x-reeltone-origin"


def check_origin(headers: Mapping[str, str], secret: str) -> None:
    """Check that the header has the secret value; an empty ``secret`` asks for none.

    Args:
        headers: names in lower case.
        secret: what CloudFront sends.

    Raises:
        WrongOriginError: it has not.
    """
    if secret and not compare_digest(headers.get(HEADER, "").encode(), secret.encode()):
        raise WrongOriginError("Ask at the website's address, below /api/; this one is not public.")
