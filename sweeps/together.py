"""Members of batched models: which stages of a job are trained together, and what becomes of each.

A stage that is `fused` is trained when it is first asked for, and with it those like it that the job will ask for next:
the other generators of the job, the classifiers of the cells that follow. Generators are published, each under its own
key. Classifiers are kept until their cell is measured. What goes wrong with one member stays with it: its company is
trained without it.
"""

import gc
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ganaug.artifact import Artifact, NoResult, State, Work
from ganaug.errors import DiskError, LeakError, Unreachable
from ganaug.stages import AugmentGenerated, FitClassifier, FitGan, Measure, Stage, Validate
from sweeps.plan import members_of
from sweeps.sizes import Fused, Sizes, spec_of
from sweeps.store import Cost

if TYPE_CHECKING:
    from ganaug.classifiers import training
    from ganaug.gans import fit
    from sweeps.execute import Asked, Evaluator

Found = tuple[Artifact, Cost]

SAVING = 10  # keeping the states of all members takes at most one part in so many of the time


@dataclass
class _Member:
    """A stage on its way: what its training takes, what getting that cost, and its seconds so far."""

    stage: Fused
    prepared: "training.Prepared | fit.Prepared"
    asked: "Asked"
    seconds: float

    @property
    def alike(self) -> tuple[Any, ...]:
        """What members of one batched model have in common."""
        from ganaug.classifiers.training import Prepared

        p = self.prepared
        if isinstance(p, Prepared):
            return (p.images.shape[1:], p.n_classes, p.stage.classifier.updates(len(p.images)))
        return (p.images.arrays["real"].shape[1:], p.n_classes)

    def bytes(self) -> int:
        """A guess at what it takes of the device's memory."""
        from ganaug import memory
        from ganaug.classifiers.training import Prepared

        p = self.prepared
        if isinstance(p, Prepared):
            shape: Any = tuple(p.images.shape[1:])
            return memory.of_classifier(p.stage.classifier, shape, p.n_classes) + p.images.nbytes
        real = p.images.arrays["real"]
        return memory.of_gan(p.spec, tuple(real.shape[1:]), p.n_classes) + real.nbytes


class Together:
    """The fused stages of one job, for an evaluator that asks for them one by one."""

    def __init__(self, evaluator: "Evaluator", sizes: Sizes) -> None:
        self.evaluator, self.sizes = evaluator, sizes
        self.take_up((), ())

    def take_up(self, generators: Sequence[Stage], leaves: Sequence[Stage]) -> None:
        """From here on these are asked for, in this order; what was kept of others is dropped."""
        self._generators = [g for g in generators if isinstance(g, FitGan)]
        self._leaves = leaves
        self._place = {leaf.key: i for i, leaf in enumerate(leaves)}
        self._at = 0
        self._until: dict[str, int] = {}  # by a stage's key, the last cell known to need it
        self._ready: dict[str, Found | Exception] = {}
        self._told: dict[str, Found] = {}  # of selections, what a measurement asks of them: all but the images

    def begin(self, asked: Stage) -> None:
        """A job asks for this: one of its cells or generators, or something else, which then has no company."""
        if asked.key in self._place:
            self._at = self._place[asked.key]
        elif all(asked.key != g.key for g in self._generators):
            self.take_up((), (asked,))

    def end(self) -> None:
        """It has been answered, and what only it needed can go."""
        for key in [k for k in self._until if self._until[k] <= self._at]:
            del self._until[key]
            self._ready.pop(key, None)
            self._told.pop(key, None)

    def found(self, stage: Stage, asker: Stage | None) -> Found | None:
        """What is kept of a stage; raises what its training came to where that is no artifact."""
        if stage.key in self._told and isinstance(asker, Measure | Validate):
            return self._told[stage.key]
        kept = self._ready.get(stage.key)
        if isinstance(kept, Exception):
            raise kept
        return kept

    def make(self, stage: Fused) -> None:
        """Train a stage and its company; `found` has classifiers and errors, the store has generators."""
        first = self._prepared(stage)
        if first is None:
            return
        spec = spec_of(stage)
        size = self.sizes.of(spec, first.bytes())
        members = [first]
        for other in self._company(stage):
            if len(members) >= size:
                break
            member = self._prepared(other)
            if member is not None and member.alike == first.alike:
                members.append(member)
        began = time.perf_counter()
        done = self._trained(members)
        share = (time.perf_counter() - began) / len(members)
        for member in members:
            self._finish(member, done.pop(0), share)

    def _company(self, stage: Fused) -> Iterator[Fused]:
        """Others of the same spec that the job will ask for and nobody has made, the next ones first."""
        has = self.evaluator.store.has
        if isinstance(stage, FitGan):
            waits = isinstance(stage.images, AugmentGenerated)  # for a generator, which may be this one
            for g in self._generators:
                alike = g.fused and g.gan == stage.gan and isinstance(g.images, AugmentGenerated) == waits
                if alike and g.key != stage.key and g.key not in self._ready and not has(g):
                    yield g
            return
        known = {stage.key}
        for i, leaf in enumerate(self._leaves[self._at :], self._at):
            own = list(members_of(leaf))
            alike = any(c.classifier == stage.classifier for c in own)
            if i > self._at and (not alike or has(leaf)):
                continue
            for c in own:
                self._until[c.key] = max(i, self._until.get(c.key, 0))
                if c.classifier == stage.classifier and c.key not in known and c.key not in self._ready:
                    known.add(c.key)
                    yield c

    def _prepared(self, stage: Fused) -> _Member | None:
        """Everything a member is trained with; None where it has none, and `found` says why."""
        from ganaug.classifiers import training
        from ganaug.gans import fit

        evaluator = self.evaluator
        asked = evaluator.asked_by(stage)
        began = time.perf_counter()
        try:
            if isinstance(stage, FitGan):
                state = evaluator.store.load_progress(stage.key)
                prepared: Any = fit.prepare(stage, Work(asked, evaluator.device, state))
            else:
                prepared = training.prepare(stage, Work(asked, evaluator.device))
                if stage.extra is not None:
                    self._tell(stage, asked.answers[stage.extra.key])
        except NoResult as none:
            none.cost = asked.cost
            self._keep(stage, none)
            return None
        except (LeakError, DiskError, Unreachable):
            raise
        except Exception as error:
            self._keep(stage, _without_frames(error))
            return None
        asked.answers.clear()
        return _Member(stage, prepared, asked, time.perf_counter() - began - asked.seconds)

    def _tell(self, stage: FitClassifier, found: Found) -> None:
        """Keep of a classifier's extra images what its cell's measurement will ask: counts, and which were taken."""
        assert stage.extra is not None
        key = stage.extra.key
        light = {name: array for name, array in found[0].arrays.items() if name == "taken"}
        self._told[key] = (Artifact(light, found[0].facts), found[1])
        self._until[key] = max(self._at, self._until.get(stage.key, 0), self._until.get(key, 0))

    def _keep(self, stage: Fused, found: Found | Exception) -> None:
        """Until its last cell is measured; a generator's error until the job is over: no cell trains it again."""
        last = len(self._leaves) + 1 if isinstance(stage, FitGan) else self._at
        self._until[stage.key] = max(last, self._until.get(stage.key, 0))
        self._ready[stage.key] = found

    def _trained(self, members: list[_Member]) -> list[Any]:
        """What each member's training gives: all at once, in smaller parts where they do not fit or one goes wrong.

        A member whose training by itself fails has its exception in place of a result.
        """
        spec = spec_of(members[0].stage)
        size = min(len(members), self.sizes.fitting.get(spec, len(members)))
        if size < len(members):
            return self._trained(members[:size]) + self._trained(members[size:])
        try:
            return self.sizes.measured(spec, len(members), lambda: self._train(members))
        except (LeakError, DiskError, Unreachable):
            raise
        except Exception as error:
            from ganaug.memory import ran_out

            if ran_out(error) and len(members) > 1:
                self.sizes.ran_out(spec, len(members))
            failed = _without_frames(error)
        _free(self.evaluator.device)
        if len(members) == 1:
            return [failed]
        middle = len(members) // 2
        return self._trained(members[:middle]) + self._trained(members[middle:])

    def _train(self, members: list[_Member]) -> list[Any]:
        from ganaug.classifiers import training
        from ganaug.gans import fit

        prepared: Any = [m.prepared for m in members]
        if isinstance(members[0].stage, FitGan):
            return list(fit.train_members(prepared, self.evaluator.device, self._saver(members)))
        return list(training.train_members(prepared, self.evaluator.device))

    def _saver(self, members: list[_Member]) -> Callable[[Callable[[], list[State | None]]], None]:
        """Keeps the state of every member's training, each under its own key, now and then."""
        wait = self.evaluator.checkpoint_seconds
        last = time.monotonic()

        def save(states: Callable[[], list[State | None]]) -> None:
            nonlocal last, wait
            began = time.monotonic()
            if began - last < wait:
                return
            for member, state in zip(members, states(), strict=True):
                if state is not None:  # it has diverged, and is told so at the end
                    self.evaluator.store.save_progress(member.stage.key, state)
            last = time.monotonic()
            wait = wait and max(self.evaluator.checkpoint_seconds, SAVING * (last - began))

        return save

    def _finish(self, member: _Member, done: Any, share: float) -> None:
        """From what training gave to an artifact, in the store or kept until its cell is measured."""
        from ganaug.classifiers import training
        from ganaug.gans import fit

        stage, evaluator = member.stage, self.evaluator
        began = time.perf_counter()
        try:
            if isinstance(done, Exception):
                raise done
            prepared: Any = member.prepared
            if isinstance(stage, FitGan):
                artifact = fit.finish(prepared, done)
            else:
                artifact = training.finish(prepared, done, evaluator.device)
        except NoResult as none:
            none.cost = member.asked.cost
            return self._keep(stage, none)
        except (LeakError, DiskError, Unreachable):
            raise
        except Exception as error:
            return self._keep(stage, _without_frames(error))
        if note := self.sizes.note(stage):
            artifact = replace(artifact, facts=artifact.facts | {"notes": [note]})
        seconds = member.seconds + share + time.perf_counter() - began
        found = evaluator.made(stage, artifact, member.asked.cost, seconds)
        if isinstance(stage, FitGan):
            evaluator.remember(stage, found)
        else:
            self._keep(stage, found)
        return None


def _without_frames(error: Exception) -> Exception:
    """An error that holds on to no tensor, with where it arose as a note for whoever tells it."""
    if error.__traceback__ is not None:
        error.add_note("".join(traceback.format_tb(error.__traceback__)).rstrip())
    for one in (error, error.__context__, error.__cause__):
        if one is not None:
            one.__traceback__ = None
    return error


def _free(device: str) -> None:
    """Give back what a training that failed has left."""
    gc.collect()
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
