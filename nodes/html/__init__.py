"""Self-contained pages and plots: they load nothing from a server."""
