"""A Ray cluster: who gets in, what there is and may come, how trials lie on it, and whether its nodes see the store."""
