"""Classifiers that learn from a few labelled images and many unlabelled ones; all methods train one and the same body."""
