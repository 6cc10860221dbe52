"""What the project survives: kills, damage, full disks, bad trials, many drivers, long runs. See docs/reliability.md.

The tests of this folder are the short form. `python -m tests.faults` is the long one, and prints the figures.
"""
