"""Files that are whole or not there, signals, and threads that read ahead."""
