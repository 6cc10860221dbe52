"""Search: Optuna asks, Ray answers. Settings are judged by validation images; the winner is confirmed on test once."""
