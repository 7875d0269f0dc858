"""What hosts draw of the work at hand: a fraction, a line of text and a preview.

Standard library only, Python 3.9: hosts import this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .declared import commands

if TYPE_CHECKING:
    from ...worker.job import Job


@dataclass(frozen=True)
class Status:
    """What is drawn of the work: ``fraction`` 0..1 of the task at hand, and a line of text."""

    running: bool
    fraction: float
    text: str
    preview: str


def progress(job: Job) -> str:
    """Return how far a job is that has not ended."""
    name = job_name(job)
    if job.state == "queued" or not job.total:
        return f"{name}: {'waiting' if job.state == 'queued' else 'starting'}"
    left = "" if job.seconds_left is None else f", {duration(job.seconds_left)} left"
    return f"{name}: {job.task} {job.done} of {job.total}{left}"


def outcome(job: Job) -> str:
    """Return how a job has ended: why it failed, else that it is done or was stopped."""
    return job.message if job.state == "failed" else f"{job_name(job)}: {job.state}."


def job_name(job: Job) -> str:
    """Return the name by which an artist knows a job."""
    return str(commands()[job.method]["label"])


def duration(seconds: float) -> str:
    """Return a time in words.

    >>> duration(8), duration(95), duration(7300)
    ('8 s', '1 min 35 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
