"""Classifiers that learn from a few labelled images and many unlabelled ones; every method trains the same body."""
