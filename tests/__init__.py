"""The tests, and in tests/faults a program of its own."""
