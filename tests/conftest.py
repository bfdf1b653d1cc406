"""What all tests share."""

from __future__ import annotations

import os

os.environ["TQDM_DISABLE"] = "1"  # progress bars would bury a failed test's own output
