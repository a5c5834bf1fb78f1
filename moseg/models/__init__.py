"""Networks that stages use, and their official checkpoints' key names; no file access."""
