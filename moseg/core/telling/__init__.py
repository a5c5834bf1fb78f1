"""What happens in a run, counted, written down, and shown."""
