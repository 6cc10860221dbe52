"""One step of a GAN's training: one discriminator update on real and generated images, one generator update with the
discriminator frozen.

Everything random is handed in (`Trainer.draw`), so that the same code steps one GAN, or K stacked ones whose draws have
one dimension in front (`ganaug/members.py`, `gans/fused.py`). Losses are summed over members, never averaged: each
member's gradient is what it would be alone. Gradients are not clipped.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from ganaug import augmentation
from ganaug.ahead import Tensors
from ganaug.gans import diffaugment, infogan
from ganaug.gans.losses import LOSSES, mode_seeking
from ganaug.precision import arithmetic, widened
from ganaug.specs import AnyGan, ProjectionSpec


def under(name: str, tensors: Tensors) -> Tensors:
    """Those whose name begins with `name` and a dot, by the rest of it."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


class Step:
    """Networks, their optimisers, and the images they learn from; of one GAN or of K stacked ones.

    real: float (N, C, H, H) in [-1, 1]; labels: int64 (N,); fill: (C,), or (K, C) for each member its own background.
    """

    spec: AnyGan
    device: str
    real: torch.Tensor
    labels: torch.Tensor
    fill: torch.Tensor
    generator: nn.Module
    discriminator: nn.Module
    optimise_g: torch.optim.Optimizer
    optimise_d: torch.optim.Optimizer

    def optimisers(self, capturable: bool = False) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        """The generator's and the discriminator's Adam, fused: elementwise, so that stacked members do not mix."""
        spec = self.spec
        g, d = (
            torch.optim.Adam(
                net.parameters(), lr=rate, betas=(spec.beta1, spec.beta2), fused=True, capturable=capturable
            )
            for net, rate in (
                (self.generator, spec.learning_rate),
                (self.discriminator, spec.discriminator_learning_rate),
            )
        )
        return g, d

    def _images(self, at: torch.Tensor) -> torch.Tensor:
        return self.real[at]

    def _seen(self, images: torch.Tensor, draws: Tensors) -> torch.Tensor:
        """What the discriminator is shown of images (..., N, C, H, H)."""
        if not isinstance(self.spec, ProjectionSpec):
            return images
        return self._each(partial(diffaugment.apply, spec=self.spec.diffaugment), images, draws)

    def _each(self, change: Callable[..., torch.Tensor], images: torch.Tensor, draws: Tensors) -> torch.Tensor:
        """`change` of images (N, C, H, H), or of stacked members' (K, N, C, H, H), on its own background each."""
        shape, fill = images.shape, self.fill
        if images.dim() == 5:
            fill = fill.repeat_interleave(shape[1], 0)
            images, draws = images.flatten(0, 1), {name: drawn.flatten(0, 1) for name, drawn in draws.items()}
        return change(images, fill=fill, draws=draws).view(shape)

    def _generated(self, latent: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with arithmetic(self.spec.precision, self.device):
            return widened(self.generator(latent, labels))

    def _scores(self, images: torch.Tensor, labels: torch.Tensor, draws: Tensors) -> torch.Tensor:
        with arithmetic(self.spec.precision, self.device, self.discriminator):
            return widened(self.discriminator(images, labels, list(under("kept", draws).values())))

    def _read(self, net: infogan.Discriminator, images: torch.Tensor) -> tuple[torch.Tensor, infogan.Reading]:
        with arithmetic(self.spec.precision, self.device, net):
            scores, reading = net.read(images)
        return widened(scores), infogan.Reading(*map(widened, (reading.logits, reading.mean, reading.log_variance)))

    def _codes(self, net: infogan.Discriminator, images: torch.Tensor) -> torch.Tensor:
        with arithmetic(self.spec.precision, self.device, net):
            return widened(net.reading(images).logits)

    def _discriminator_losses(
        self, real: torch.Tensor, labels: torch.Tensor, draws: Tensors
    ) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, ...]]:
        """The discriminator's loss, the same with what it is told to minimise beside it, and what else is noted."""
        d_loss, _ = LOSSES[self.spec.loss]
        net, latent = self.discriminator, draws["latent"]
        if isinstance(net, infogan.Discriminator):  # never sees a label: what it generates is told random codes
            codes = draws["labels"]
            with torch.no_grad():
                fake = self._generated(latent, codes)
            on_real, _ = self._read(net, real)
            on_fake, reading = self._read(net, fake)
            loss = d_loss(on_real, on_fake)
            paid = loss + infogan.information_loss(net.spec, reading, codes, latent)[0]
            if net.spec.guidance:
                paid = paid + self._guidance(net, draws["few"])
            if not net.spec.views.weight:
                return loss, paid, ()
            shared = self._shared(net, under("views", draws))
            return loss, paid - net.spec.views.weight * shared, (shared.detach(),)
        with torch.no_grad():
            fake = self._generated(latent, labels)
        # real and generated in one call: neither discriminator has a batch norm, so their scores do not mix
        both = self._seen(torch.cat([real, fake], -4), under("seen", draws))
        on_real, on_fake = self._scores(both, torch.cat([labels, labels], -1), draws).chunk(2, -1)
        loss = d_loss(on_real, on_fake)
        return loss, loss, ()

    def _guidance(self, net: infogan.Discriminator, few: torch.Tensor) -> torch.Tensor:
        """What Q pays for not knowing the few labelled real images."""
        logits = self._codes(net, self._images(few))
        return net.spec.guidance * infogan.mean_cross_entropy(logits, self.labels[few])

    def _shared(self, net: infogan.Discriminator, draws: Tensors) -> torch.Tensor:
        """The nats that Q's codes of two views of real images share."""
        strength, images = net.spec.views.augmentation, self._images(draws["at"])

        def change(images: torch.Tensor, draws: Tensors, fill: torch.Tensor) -> torch.Tensor:
            return augmentation.apply(images, draws, augmentation.outside(strength, fill), strength.fill)

        views = [self._each(change, images, under(view, draws)) for view in infogan.VIEWS]
        return infogan.shared(*self._codes(net, torch.cat(views, -4)).chunk(2, -2))

    def update(self, draws: Tensors, penalise: bool) -> tuple[torch.Tensor, ...]:
        """One step from draws on the device; the losses in the order of `Trainer.parts`, still there.

        penalise: whether R1 is due in this step.
        """
        spec, (_, g_loss) = self.spec, LOSSES[self.spec.loss]
        real, labels = self._images(draws["at"]), self.labels[draws["at"]]
        loss_d, paid, noted = self._discriminator_losses(real, labels, under("d", draws))
        self.optimise_d.zero_grad()
        paid.sum().backward()
        if penalise:
            self._penalise(real, labels)
        self.optimise_d.step()

        draws = under("g", draws)
        self.discriminator.requires_grad_(False)
        labels, latent = draws["labels"], draws["latent"]
        fake = self._generated(latent, labels)
        more: tuple[torch.Tensor, ...] = ()
        net = self.discriminator
        if isinstance(net, infogan.Discriminator):
            on_fake, reading = self._read(net, fake)
            loss_g = g_loss(on_fake)
            pays, categorical = infogan.information_loss(net.spec, reading, labels, latent)
            paid, more = loss_g + pays, (categorical.detach(), infogan.bound(reading.logits.detach(), labels))
        else:
            loss_g = g_loss(self._scores(self._seen(fake, under("seen", draws)), labels, draws))
            if isinstance(spec, ProjectionSpec) and spec.mode_seeking:
                loss_g = loss_g + spec.mode_seeking * mode_seeking(fake, latent)
            paid = loss_g
        self.discriminator.requires_grad_(True)
        self.optimise_g.zero_grad()
        paid.sum().backward()
        self.optimise_g.step()
        return loss_g.detach(), loss_d.detach(), *more, *noted

    def _penalise(self, real: torch.Tensor, labels: torch.Tensor) -> None:
        """Add the gradient of R1 (Mescheder et al. 2018, arXiv:1801.04406): r1 / 2 times the mean squared norm of the
        score's gradient at real images. Lazily (Karras et al. 2019, arXiv:1912.04958, appendix B): seldom, and the
        more strongly. In float32 whatever the precision: the gradient of a gradient.
        """
        real = real.detach().requires_grad_()
        score = self.discriminator(real, labels)
        (slope,) = torch.autograd.grad(score.sum(), real, create_graph=True)
        penalty = slope.square().sum((-3, -2, -1)).mean(-1)
        (penalty * (self.spec.r1 / 2 * self.spec.r1_every)).sum().backward()


@torch.no_grad()
def follow(average: nn.Module, generator: nn.Module, ema: float, step: int) -> None:
    """Move the average of a generator's weights on, after `step` steps."""
    # a short run is averaged over its last tenth or so, not over weights it has left long ago
    decay = min(ema, step / (step + 10))
    for kept, new in zip(average.parameters(), generator.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
    for statistic, newest in zip(average.buffers(), generator.buffers(), strict=True):
        statistic.copy_(newest)
