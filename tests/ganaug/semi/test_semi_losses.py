"""The losses against the formulas of their papers."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ganaug.semi.losses import feature_matching, k_logit_discriminator, two_head_discriminator, two_head_generator


def test_k_logits_are_the_discriminator_of_their_normaliser() -> None:
    real, fake = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]]), torch.tensor([[-2.0, 1.0, 0.0], [4.0, -3.0, 0.0]])
    z, z_fake = real.exp().sum(1), fake.exp().sum(1)
    expected = (-(z / (z + 1)).log().mean() - (1 - z_fake / (z_fake + 1)).log().mean()) / 2
    assert torch.allclose(k_logit_discriminator(real, fake), expected)
    assert k_logit_discriminator(fake, real) != k_logit_discriminator(real, fake)


def test_adding_a_constant_to_the_logits_of_real_images_makes_them_more_real() -> None:
    real, fake = torch.randn(5, 4, generator=torch.manual_seed(0)), torch.zeros(5, 4)
    assert k_logit_discriminator(real + 1, fake) < k_logit_discriminator(real, fake)
    assert k_logit_discriminator(real, fake + 1) > k_logit_discriminator(real, fake)


def test_features_match_where_their_means_do() -> None:
    real = torch.tensor([[0.0, 2.0], [4.0, 0.0]])
    assert feature_matching(real, torch.tensor([[2.0, 1.0]])) == 0
    assert feature_matching(real, torch.tensor([[2.0, 3.0]])) == 2  # one of two means is off by 2


def test_the_published_head_is_binary_cross_entropy() -> None:
    real, fake = torch.tensor([[0.3], [-2.0]]), torch.tensor([[1.0], [0.5]])
    ones, zeros = torch.ones(2, 1), torch.zeros(2, 1)
    both = binary_cross_entropy_with_logits(torch.cat([real, fake]), torch.cat([ones, zeros]))
    assert torch.allclose(two_head_discriminator(real, fake), both)
    assert torch.allclose(two_head_generator(fake), binary_cross_entropy_with_logits(fake, ones))
