"""Metrics of generated images: functions of features and probabilities, never of models.

`docs/metrics.md` states every convention: definitions, ties, degrees of freedom, sample sizes, and what each does
not tell.
"""
