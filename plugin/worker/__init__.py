"""The worker that hosts start, and its client."""
