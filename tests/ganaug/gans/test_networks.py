import pytest
import torch
from tiny import CGAN, GANS, PROJECTION

from ganaug.gans.networks import build
from ganaug.randomness import torch_rng

CLASSES = 3
LABELS = torch.tensor([0, 1, 2, 1])


def latent(spec, n=4):
    return torch.randn(n, spec.latent, generator=torch_rng(0, "test"))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 28, 32, 128])
@pytest.mark.parametrize("name", GANS)
def test_both_networks_speak_of_images_of_this_size(name, side, channels):
    spec = GANS[name]
    generator, discriminator = build(spec, CLASSES, (channels, side, side), seed=0)
    images = generator(latent(spec), LABELS)
    assert images.shape == (4, channels, side, side)
    assert images.dtype == torch.float32
    assert images.abs().max() <= 1
    scores = discriminator(images, LABELS)
    assert scores.shape == (4,)
    assert scores.isfinite().all()
    scores.sum().backward()  # a generator's update reaches every weight of it
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())


@pytest.mark.parametrize("name", GANS)
def test_same_seed_same_weights(name):
    spec = GANS[name]
    for one, two, other in zip(*(build(spec, CLASSES, (1, 8, 8), seed) for seed in (1, 1, 2)), strict=True):
        first, again, different = one.state_dict(), two.state_dict(), other.state_dict()
        assert all(torch.equal(first[k], again[k]) for k in first)
        assert any(not torch.equal(first[k], different[k]) for k in first)


@pytest.mark.parametrize("name", GANS)
def test_the_class_matters_to_both(name):
    spec = GANS[name]
    generator, discriminator = (net.eval() for net in build(spec, CLASSES, (1, 8, 8), seed=0))
    z = latent(spec)
    zeros, ones = torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    images = generator(z, zeros)
    assert not torch.allclose(images, generator(z, ones), atol=1e-4)
    blind = name == "infogan"  # it trains without labels, so its discriminator has to score without them
    assert torch.allclose(discriminator(images, zeros), discriminator(images, ones), atol=1e-6) == blind


@pytest.mark.parametrize("name", GANS)
def test_a_score_does_not_depend_on_the_batch_around_it(name):
    # the training loop scores real and generated images in one call
    spec = GANS[name]
    _, discriminator = build(spec, CLASSES, (1, 8, 8), seed=0)
    discriminator.eval()
    x = torch.rand(4, 1, 8, 8, generator=torch_rng(0, "images")) * 2 - 1
    alone = torch.cat([discriminator(x[i : i + 1], LABELS[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(discriminator(x, LABELS), alone)


@pytest.mark.parametrize("side", [4, 6, 7, 9, 15, 27, 30, 31, 36, 127])
def test_an_unsupported_side_is_refused_in_one_line(side):
    with pytest.raises(ValueError, match=rf"^the projection GAN needs a side of [^\n]+, got {side} pixels$"):
        build(PROJECTION, CLASSES, (1, side, side), seed=0)


def test_dropout_keeps_what_it_is_told_to():
    _, discriminator = build(CGAN, CLASSES, (1, 8, 8), seed=0)
    x = torch.rand(4, 1, 8, 8, generator=torch_rng(0, "images"))
    plain = discriminator(x, LABELS)
    assert torch.equal(plain, discriminator(x, LABELS))
    kept = discriminator.draw_kept(4, torch_rng(0, "dropout"))
    dropped = discriminator(x, LABELS, kept)
    assert not torch.equal(plain, dropped)
    assert torch.equal(dropped, discriminator(x, LABELS, discriminator.draw_kept(4, torch_rng(0, "dropout"))))
    without = CGAN.model_copy(update={"dropout": 0.0})
    _, discriminator = build(without, CLASSES, (1, 8, 8), seed=0)
    assert discriminator.draw_kept(4, torch_rng(0, "dropout")) == []
