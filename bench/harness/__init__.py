"""The harness: boots one guest at a time and records what happened."""
