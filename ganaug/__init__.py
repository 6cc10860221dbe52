"""What happens inside one trial: images, splits, GANs, filters, classifiers, and the stages that join them.

Pure PyTorch. No Ray, no store, no figures, no global randomness; `import ganaug` loads none of torch.
"""

__version__ = "0.1.0"
