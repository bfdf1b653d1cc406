"""What keeps the stack from running."""


class StackError(Exception):
    """The stack cannot start or go on; the message tells the person at the terminal why."""
