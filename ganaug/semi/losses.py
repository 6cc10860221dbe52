"""What a semi-supervised GAN's body learns from unlabelled and generated images.

`k_logit_*`: the K logits of a classifier are a discriminator too, with D(x) = Z / (Z + 1), Z = sum of exp(logits);
the generator matches mean features (Salimans et al. 2016, arXiv:1606.03498, sections 3.1 and 5).
`two_head_*`: one sigmoid says real or generated beside the softmax; binary cross-entropy, the generator's
non-saturating (Goodfellow et al. 2014, arXiv:1406.2661).
"""

import torch
from torch.nn.functional import softplus


def k_logit_discriminator(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """-E log D(x) - E log(1 - D(G(z))), halved, of logits (N, K) of real and of generated images."""
    # log D = log Z - softplus(log Z) and log(1 - D) = -softplus(log Z)
    log_z, log_z_fake = real.logsumexp(1), fake.logsumexp(1)
    return (softplus(log_z) - log_z).mean() / 2 + softplus(log_z_fake).mean() / 2


def feature_matching(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of the mean features of real and generated images, (N, d) each."""
    return (real.mean(0) - fake.mean(0)).square().mean()


def two_head_discriminator(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy, halved, of raw scores (N, 1) of real and of generated images."""
    return (softplus(-real).mean() + softplus(fake).mean()) / 2


def two_head_generator(fake: torch.Tensor) -> torch.Tensor:
    """-E log D(G(z)) of raw scores (N, 1)."""
    return softplus(-fake).mean()
