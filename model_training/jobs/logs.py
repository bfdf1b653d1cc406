"""What a training job writes, while it runs, with the session's own region and credentials."""

from __future__ import annotations

from collections.abc import Iterator

from model_training.jobs.cloud import AbsentError, Cloud, NotAllowedError

GROUP = "/aws/sagemaker/TrainingJobs"
_LATE = 60_000
"""Milliseconds that a line may come after ones that are younger."""


class JobLog:
    """The log of one training job, all its machines together."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._cloud = cloud
        self._prefix = f"{name}/"
        self._latest = 0
        self._seen: set[str] = set()
        self._is_readable = True

    def new_lines(self) -> Iterator[str]:
        """The lines since the last look; none where there is no log yet.

        Who may start jobs need not be allowed to read logs: that is said, once.
        """
        if not self._is_readable:
            return
        try:
            yield from self._read()
        except AbsentError:
            return  # nothing has been written yet
        except NotAllowedError as error:
            self._is_readable = False
            yield f"no log lines: {error}"

    def _read(self) -> Iterator[str]:
        events = self._cloud.pages(
            "logs",
            "filter_log_events",
            "events",
            logGroupName=GROUP,
            logStreamNamePrefix=self._prefix,
            startTime=max(0, self._latest - _LATE),
        )
        for event in events:
            if event["eventId"] not in self._seen:
                self._seen.add(event["eventId"])
                self._latest = max(self._latest, event["timestamp"])
                yield event["message"].rstrip("\n")
