"""Files that are whole or not there, signals, and work ahead of its use."""
