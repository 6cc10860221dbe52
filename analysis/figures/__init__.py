"""Figures of a run: each function takes a `Run` and returns a matplotlib `Figure`, made without pyplot's
global state.

matplotlib and seaborn are imported here and nowhere else in `analysis`.
"""
