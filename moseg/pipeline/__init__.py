"""The assembly: configuration to backends, inputs to a finished run."""
