"""Figures of a run: each function takes a `Run` and returns a matplotlib `Figure`, made without pyplot's
global state.

matplotlib and seaborn are imported here and in `analysis.plots`, the single panels for notebooks, and nowhere else
in `analysis`.
"""
