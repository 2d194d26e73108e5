"""What can be known about the deployment without a Docker engine, checked against the code."""
