"""What CloudFormation asks for, from the event of a custom resource to checked values.

Source of the form: AWS CloudFormation User Guide, "Custom resource request objects".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faults import RequestError

REQUEST_TYPES = ("Create", "Update", "Delete")

# Always the same one: another would make CloudFormation delete what the old one stands for.
_PHYSICAL_ID = "site-and-model"


@dataclass(frozen=True)
class Envelope:
    """Where the answer goes, and what it must repeat; empty where the event lacks it."""

    response_url: str
    """A secret: it is signed, and needs no other proof of who answers."""
    request_type: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str


@dataclass(frozen=True)
class Serving:
    """What the stack's endpoint will be started with; empty where the properties do not say."""

    settings: str
    """All of it, as JSON with sorted keys: equal text, equal endpoint."""
    image: str
    mode: str


@dataclass(frozen=True)
class Publication:
    """What the resource's properties ask to be published."""

    model_name: str
    serving: Serving


def read_envelope(event: object) -> Envelope:
    """Read the envelope of any event, however broken: without it nobody could be told so."""
    members = event if isinstance(event, Mapping) else {}
    return Envelope(
        response_url=_text(members, "ResponseURL"),
        request_type=_text(members, "RequestType"),
        stack_id=_text(members, "StackId"),
        request_id=_text(members, "RequestId"),
        logical_id=_text(members, "LogicalResourceId"),
        physical_id=_text(members, "PhysicalResourceId") or _PHYSICAL_ID,
    )


def read_request_type(event: Mapping[str, Any]) -> str:
    """Create, Update or Delete.

    Raises:
        RequestError: something else, or nothing.
    """
    request_type = event.get("RequestType")
    if request_type not in REQUEST_TYPES:
        raise RequestError(f"RequestType = {request_type!r:.80}; use {', '.join(REQUEST_TYPES)}")
    return str(request_type)


def read_publication(event: Mapping[str, Any]) -> Publication:
    """Read the resource's properties.

    Raises:
        RequestError: there is no model's name, or the endpoint would not start.
    """
    name = _properties(event).get("ModelName")
    if not (isinstance(name, str) and name):
        raise RequestError(f"ModelName = {name!r:.80}; it must name a model")
    return Publication(name, read_serving(event))


def read_serving(event: Mapping[str, Any]) -> Serving:
    """Read what the endpoint will be started with.

    Raises:
        RequestError: SageMaker would refuse it, ten minutes later and in fewer words.
    """
    properties = _properties(event)
    settings = properties.get("Serving")
    members = settings if isinstance(settings, Mapping) else {}
    serving = Serving(
        json.dumps(settings, sort_keys=True), _text(members, "Image"), _text(members, "Mode")
    )
    _check_image(serving, _text(event, "StackId"))
    # CloudFormation sends numbers as text.
    least, most = (_text(properties, name) for name in ("MinInstances", "MaxInstances"))
    if least.isdigit() and most.isdigit() and int(least) > int(most):
        raise RequestError(f"MinInstances = {least} is more than MaxInstances = {most}")
    return serving


def _check_image(serving: Serving, stack: str) -> None:
    """Refuse an image of an account or a region that the endpoint cannot take it from."""
    own = re.match(r"arn:[\w-]+:cloudformation:([\w-]+):(\d{12}):stack/", stack)
    image = re.match(r"(\d{12})[.]dkr[.]ecr[.]([\w-]+)[.]", serving.image)
    if not own or not image or "/sagemaker-scikit-learn:" in serving.image:
        return
    (region, account), (image_account, image_region) = own.groups(), image.groups()
    if image_region != region:
        raise RequestError(
            f"ServingImage is in {image_region}; push it to {region}, where the stack is"
        )
    if serving.mode == "serverless" and image_account != account:
        raise RequestError(
            f"ServingImage is of account {image_account}; a serverless endpoint takes images of "
            f"its own account only, {account}: push it there, or deploy with ServingMode=instances"
        )


def _properties(event: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = event.get("ResourceProperties")
    return properties if isinstance(properties, Mapping) else {}


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""
