"""The ways in: the command line and the pages it writes."""
