"""Generate files from the nodes' declarations, and assemble the hosts' folders."""
