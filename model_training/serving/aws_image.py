"""The WSGI application for AWS's scikit-learn image: its server around our four functions.

The image would find a script by itself (SAGEMAKER_PROGRAM), but then it copies the bundle's code
and runs pip on it at every start, before it serves. So the container's environment names this
module instead, SAGEMAKER_SERVING_MODULE=model_training.serving.aws_image:main, and no program. A
serverless endpoint's container may write to /tmp alone: no nginx, whose settings the server would
write to /etc, and SAGEMAKER_BASE_DIR=/tmp, where it makes a folder as soon as it is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from sagemaker_containers.beta.framework import transformer, worker

from model_training.serving import functions

MODEL_DIR = "/opt/ml/model"
"""Where SageMaker unpacks the bundle's archive."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@cache
def load_app() -> Application:
    """Load the Flask application around the four functions, with the model loaded."""
    model = transformer.Transformer(
        # Not the folder that it is given, which would be below SAGEMAKER_BASE_DIR.
        model_fn=lambda _: functions.model_fn(MODEL_DIR),
        input_fn=functions.input_fn,
        predict_fn=functions.predict_fn,
        output_fn=functions.output_fn,
    )
    model.initialize()
    app: Application = worker.Worker(transform_fn=model.transform, module_name=functions.__name__)
    return app


def main(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a WSGI request; the first one, SageMaker's ping, loads the model."""
    return load_app()(environ, start_response)
