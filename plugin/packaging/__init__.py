"""What is generated from the nodes' declarations, and the hosts' folders."""
