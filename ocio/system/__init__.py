"""Atomic files, deferred signals, and threads that read ahead."""
