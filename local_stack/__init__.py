"""The cloud's stand-ins on one machine: CDN and HTTP API, Lambda, and the SageMaker runtime.

The website, the function and the model's server are the real ones; template.yaml says what
belongs together, exactly as it does for CloudFormation.
"""


class StackError(Exception):
    """The stack cannot start or go on; the message tells the person at the terminal why."""
