"""Pages and plots that ask no server for anything."""
