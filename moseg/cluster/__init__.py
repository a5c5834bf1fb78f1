"""Running a plan on Ray: one machine or a cluster."""
