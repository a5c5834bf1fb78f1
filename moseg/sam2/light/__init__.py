"""The built-in densifier: from labelled points to object masks, on a CPU, with no network."""
