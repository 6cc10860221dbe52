"""What `ganaug plan` says of a study: cells, generators, trials, time, hours and what they cost."""

from collections.abc import Iterator
from typing import Any

from sweeps.adaptive import Seeds, foreseen, within
from sweeps.cluster.placement import Placement, There
from sweeps.estimate import import_seconds, totals, trained_seconds, with_parts
from sweeps.forecast import forecast
from sweeps.grid import Grid
from sweeps.plan import generator_of
from sweeps.plan import plan as make_plan
from sweeps.price import Hours, Price
from sweeps.progress import duration
from sweeps.run import local_cpus, slots
from sweeps.store import Store
from sweeps.study import Study

STARTS = 6.0  # imports of torch that a run's start takes: the driver's, Ray's processes', the first trial's
REPORTS = 4.0  # and its end: Ray's, and the report with its figures
REPORT_PER_CELL = 0.003  # seconds


def _placed(study: Study) -> tuple[int, str, float, float]:
    """On this machine: trials at a time, their device, and the CPUs and GPUs that each takes."""
    import torch

    n_gpus = torch.cuda.device_count()
    if not n_gpus:  # a study for another machine's GPUs can be planned here, and is told this one's time
        return slots(study), "cpu", study.resources.cpus_per_trial, 0.0
    placement = Placement.of(study.resources, There({"CPU": local_cpus(study), "GPU": n_gpus}), study.fuse == "on")
    return placement.slots, placement.device, placement.cpus, placement.gpus


def outlook(whole: Grid, store: Store, prices: list[Price]) -> Iterator[str]:
    """The lines of it. UserError where a price is for what no trial takes."""
    grid = whole
    if (adaptive := whole.study.seeds) is not None:
        seeds = Seeds(whole)
        seeds.advance(store, {})
        grid = within(whole, seeds.wanted())
        yield f"seeds       {adaptive.min} to {adaptive.max}, one more for every contrast that is still open"
        yield f"            {len(grid.asked)} cells for a start, told below; at most {len(whole.asked)}"
        yield f"            about {foreseen(whole)} if effects are 0 to 2 margins and seeds differ by one"
    at_a_time, device, cpus, gpus = _placed(grid.study)
    facts: dict[str, Any] = grid.test.facts
    stored, leaves, asked = grid.stored(store), grid.leaves(), list(grid.asked.values())
    generators, using = grid.generators.keys(), sum(1 for leaf in asked if generator_of(leaf))
    told = forecast(grid, store, trained_seconds(tuple(facts["shape"]), len(facts["classes"]), device), device)
    together = grid.study.resources.fuse_at_most
    waves = make_plan(leaves, stored, at_a_time, with_parts(told.own), together)
    wall, busy = told.of_waves(waves, at_a_time)
    if waves:
        unit = import_seconds()
        wall += (STARTS + REPORTS) * unit + REPORT_PER_CELL * len(asked)
    hours = Hours(busy * gpus / 3600, busy * cpus / 3600, wall / 3600)
    cost = hours.cost(prices) if prices else None
    yield f"cells       {len(asked)}, of which {sum(leaf.key in stored for leaf in asked)} stored"
    done = len(generators & stored)
    yield f"generators  {len(generators)} for the {using} cells that use one, of which {done} stored"
    after = ", the generators before the cells that use them" if len(waves) > 1 else ""
    yield f"trials      {sum(map(len, waves))}, {at_a_time} at a time{after}"
    by = f"; by what {told.read} stored results took" if told.read else ""
    yield f"time        about {duration(wall)} on this machine, start and report included{by}"
    if grid.study.fuse == "on":
        yield f"fused       up to {together} trainings of a kind as one; the time is that of each by itself"
    kinds = [f"{n:.3g} {name}-hours" for name, n in (("GPU", hours.gpu), ("CPU", hours.cpu)) if n]
    if kinds:
        yield f"hours       {' and '.join(kinds)} in trials"
    if cost:
        yield f"cost        {cost}"
    shared, alone = totals(leaves, stored, with_parts(told.own))
    if shared:
        yield f"sharing     {alone / shared:.1f} times cheaper than a GAN for every cell"
