"""The script that is written first: images as PIL through a DataLoader, transforms one by one, one training a trial.

As somebody competent writes it from the tutorials, and no slower than that: the networks are ganaug's, layer for layer,
and so are batch, rates, schedule and the number of updates, so that what differs is how they are run.
"""
