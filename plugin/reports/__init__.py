"""Report pages, contact sheets and plots."""
