"""What a difference between two arms is worth: pure functions from numbers to numbers, one idea per file.

Everything here takes differences or accuracies as arrays and returns small frozen dataclasses or tables; it
reads no files and knows no factors. `docs/statistics.md` holds the method, and the coverage that
`benchmarks/statistics.py` measures.
"""
