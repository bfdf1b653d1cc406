"""One execution environment of a function, as Lambda's runtime gives it: one event at a time.

Started by path, with the function's folders on PYTHONPATH and the function's environment, so that
the function can import nothing of the local stack. Events come as lines of JSON on standard input,
answers go as lines of JSON to what standard output was, after an empty one that says the handler is
imported. What the function prints is its log and goes to standard error. The end of the input ends
the process, so none outlives the stack.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Handler = Callable[[dict[str, Any], "Context"], Any]


@dataclass(frozen=True)
class Context:
    """Lambda's context object: what a handler may know of its invocation."""

    aws_request_id: str
    deadline: float
    """When the time-out strikes, on time.monotonic's clock, in seconds."""
    function_name: str
    memory_limit_in_mb: str
    function_version: str = "$LATEST"
    log_group_name: str = "local"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """An ARN of an account that is nobody's."""
        region = os.environ["AWS_REGION"]
        return f"arn:aws:lambda:{region}:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Give milliseconds until the time-out."""
        return max(0, round((self.deadline - time.monotonic()) * 1000))


def load_handler(name: str) -> Handler:
    """Load the handler that the template calls ``module.function``."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def answer(handler: Handler, line: str) -> str:
    """Give the answer to one line of input; a handler that raises is an answer too."""
    request = json.loads(line)
    context = Context(
        aws_request_id=request["requestId"],
        deadline=time.monotonic() + request["timeout"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
    )
    try:
        return json.dumps({"result": handler(request["event"], context)})
    except Exception as error:  # the outermost boundary: Lambda's runtime catches everything, too
        traceback.print_exc()
        return json.dumps({"errorType": type(error).__name__})


def main() -> None:
    """Answer events until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    handler = load_handler(sys.argv[1])
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(answer(handler, line), file=answers, flush=True)


if __name__ == "__main__":
    main()
