"""The renderer: a likeness re-rendered from its own pictures."""
