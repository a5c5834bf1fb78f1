"""A short made-up clip with exact truth, for the demonstration and the tests."""
