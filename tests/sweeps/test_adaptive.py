"""Seeds until it is decided: what a study may say, which cells are wanted, and that every way leads to the same end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_run import Ganaug, Place

import analysis
from ganaug.errors import UserError
from sweeps import study_file as studies
from sweeps.adaptive import OPEN, Seeds, narrowed, seeds_line, within
from sweeps.execute import Evaluator
from sweeps.grid import Grid, open_grid
from sweeps.run_folder import RunFolder
from sweeps.store import Store

STUDY = """\
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [20], n_gen: [0, 1, 100], threshold: [0]}
seeds: {min: 3, max: 5, until: decided}
primary: {n_gen: 100, against: real-only}
gan: {name: projection, steps: 2, width: 8, discriminator_width: 8}
pool: {chunk: 50, max_per_class: 100}
classifier: {steps: 150, width: 8}
assess: null
"""  # 100 images of noise beside 20 real ones hurt; one image changes nothing that five seeds could show


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "growing.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def full(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Grid, Store]:
    """The whole grid, every seed of it in the store."""
    root = tmp_path_factory.mktemp("full")
    store = Store(root / "store")
    grid = open_grid(studies.load(str(study)), root, store)
    evaluator = Evaluator(store)
    for measure in grid.measures.values():
        evaluator.get(measure)
    return grid, store


def refused(path: Path, *assignments: str) -> str:
    with pytest.raises(UserError) as error:
        studies.load(str(path), assignments)
    return str(error.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("seeds.min=6", "seeds: min must not be more than max, got 6 and 5"),
        ("seeds.min=2", "seeds.min: must be at least 3, for two differences know too little of their spread, got 2"),
        ("seeds.min=many", "seeds.min: must be a whole number, got 'many'"),
        ("seeds.max=2000", "seeds.max: must be at most 100, got 2000"),
        ("seeds.until=tired", "seeds.until: must be 'decided', got 'tired'"),
        ("seeds.maxx=9", "unknown key 'seeds.maxx'; did you mean 'seeds.max'?"),
        ("seeds=20", "seeds: must be a mapping, got 20"),
        ("seed=[0, 1]",
         "seeds: says how many seeds there are, and factors.seed says so too ([0, 1]); leave one of them out"),
        ("search={steps: 3}",
         "seeds: a search compares its steps over the same seeds; give factors.seed, or leave search out"),
    ],
)  # fmt: skip
def test_refusals(study: Path, assignment: str, told: str) -> None:
    assert refused(study, assignment) == told


def test_a_study_without_verdicts_has_nothing_to_wait_for(study: Path) -> None:
    assert refused(study, "n_gen=[0]", "primary=null") == (
        "seeds: the study has no setting with a control, so no verdict to wait for; give factors.seed"
    )
    assert refused(study, "measure=generators", "assess={}", "n_gen=[0]", "primary=null") == (
        "seeds: waits for verdicts on classifiers, and measure: generators has none; give factors.seed"
    )


def test_a_search_of_such_a_study_is_refused(study: Path, ganaug: Ganaug, tmp_path: Path) -> None:
    done = ganaug("search", study, cwd=tmp_path)
    assert done.returncode == 2
    assert " ".join(done.stderr.split()) == (
        "error: seeds: a search compares its steps over the same seeds; give factors.seed, or search.seeds"
    )


def test_a_resolved_study_is_the_same_study(study: Path, tmp_path: Path) -> None:
    one = studies.load(str(study))
    (tmp_path / "growing.yaml").write_text(studies.to_yaml(one))
    assert studies.load(str(tmp_path / "growing.yaml")) == one
    assert one.factors["seed"] == [0, 1, 2, 3, 4]


def test_seeds_on_the_command_line_take_the_place_of_the_files(tiny: Path) -> None:
    assert studies.load(str(tiny)).factors["seed"] == [0, 1]
    assert studies.load(str(tiny), ["seeds={min: 3, max: 4}"]).factors["seed"] == [0, 1, 2, 3]


def test_a_study_of_classic_augmentation_or_unlabelled_images_may_grow_too() -> None:
    for name in ("cifar10-da", "sgan-mnist"):
        assert studies.load(name, ["seeds={min: 3, max: 4}"]).seeds is not None


def counts(seeds: Seeds) -> dict[tuple[str, Any], int]:
    return {(s["arm"], s["n_gen"]): n for s, n in ((dict(setting), n) for setting, n in seeds.counts.items())
            if s["clf_da"] == "none"}  # fmt: skip


def test_only_open_contrasts_and_their_controls_get_more_seeds(full: tuple[Grid, Store]) -> None:
    grid, store = full
    seeds = Seeds(grid)
    assert seeds.advance(store, {}) == []
    words = {dict(s)["n_gen"]: word for s, word in seeds.words.items()}
    assert words == {1: OPEN, 100: "hurts"}
    found = counts(seeds)
    assert found["generated", 1] == found["real-only", 0] == 5, "the control of an open contrast grows with it"
    assert found["generated", 100] == found["duplicated", 100] == 3, "what is decided after three does not"
    assert seeds.facts() == {
        "min": 3, "max": 5, "until": "decided", "cells_used": 5 + 5 + 3 + 3 + 3, "cells_at_most": 25, "contrasts": 2,
        "decided": 1, "decided_after": {"3": 1},
    }  # fmt: skip
    assert seeds_line(seeds.facts()) == "seeds: 1 of 2 contrasts decided, after 3 seeds; 19 cells of at most 25"


def test_every_way_there_comes_to_the_same_end(full: tuple[Grid, Store], tmp_path: Path) -> None:
    """Few slots or many, killed after every record or never: what is wanted in the end is the same."""
    grid, complete = full
    straight = Seeds(grid)
    straight.advance(complete, {})
    for slots, kill_every, rounds in ((1, 100, 3), (16, 100, 2), (1, 4, 7)):
        store = Store(tmp_path / f"store-{slots}-{kill_every}")
        made = begun = 0
        seeds = Seeds(grid)
        while seeds.advance(store, {}):
            begun += 1
            for key in seeds.ahead(store, slots):
                if key in store.keys("measure"):
                    continue
                found = complete.load(grid.measures[key])
                assert found is not None
                store.publish(grid.measures[key], *found)
                made += 1
                if made % kill_every == 0:
                    break
            seeds = Seeds(grid)  # a new process knows what the store knows
        assert seeds.wanted() == straight.wanted()
        assert seeds.words == straight.words
        assert made == len(seeds.wanted())
        assert begun == rounds, "idle slots work ahead, so that there are fewer rounds"


def test_a_failed_cell_is_not_waited_for(full: tuple[Grid, Store], tmp_path: Path) -> None:
    grid, _ = full
    store = Store(tmp_path / "store")
    seeds = Seeds(grid)
    failures = dict.fromkeys(seeds.wanted(), "RuntimeError: no memory")
    assert seeds.advance(store, failures) == []
    assert seeds.words == {}


def test_what_a_folder_asked_for_can_be_read_back(full: tuple[Grid, Store], tmp_path: Path) -> None:
    grid, store = full
    seeds = Seeds(grid)
    folder = RunFolder(tmp_path)
    assert set(narrowed(grid, folder).measures) == set(seeds.wanted()), "nothing is written: the first seeds"
    seeds.advance(store, {})
    seeds.write(folder)
    assert set(narrowed(grid, folder).measures) == set(seeds.wanted())
    folder.seeds.write_text("[1]")
    with pytest.raises(UserError) as error:
        narrowed(grid, folder)
    assert str(error.value) == f"{folder.seeds}: is not what a run writes; delete it and run the study again"


def test_a_part_of_a_grid_has_its_own_generators_alone(full: tuple[Grid, Store]) -> None:
    grid, _ = full
    part = within(grid, Seeds(grid).wanted())
    assert len(grid.generators) == 5
    assert len(part.generators) == 3


@pytest.fixture(scope="module")
def ran(study: Path, full: tuple[Grid, Store], ganaug: Ganaug, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The study by its command, on a store that lacks what comes after the second round."""
    grid, complete = full
    root = tmp_path_factory.mktemp("ran")
    store = Store(root / "runs/store")
    open_grid(studies.load(str(study)), root, store)
    for key, factors in grid.factors.items():
        if factors["seed"] < 4:
            found = complete.load(grid.measures[key])
            assert found is not None
            store.publish(grid.measures[key], *found)
    return Place(root, ganaug("run", study, "--workers", 2, "--out", "runs/tiny", cwd=root))


def test_a_run_goes_on_to_the_end_and_says_so(ran: Place, full: tuple[Grid, Store]) -> None:
    assert ran.done.returncode == 0, ran.done.stderr
    assert "seeds: 1 of 2 contrasts decided, after 3 seeds; 19 cells of at most 25" in ran.done.stdout
    summary = ran.summary
    assert summary["cells"] == {"total": 19, "ok": 19, "starved": 0, "diverged": 0, "failed": 0, "missing": 0}
    assert summary["status"] == "complete"
    assert summary["computed"]["measure"] == 2, "the fifth seed of the open contrast and of its control"
    straight = Seeds(full[0])
    straight.advance(full[1], {})
    assert set(ran.records()["cell"]) == set(straight.wanted())
    told = json.loads((ran.folder / "seeds.json").read_text())
    assert {(t["setting"]["n_gen"], t["seeds"], t["verdict"]) for t in told if t["verdict"]} == {
        (1, 5, OPEN), (100, 3, "hurts"),
    }  # fmt: skip


def test_its_report_says_what_the_loop_decided(ran: Place) -> None:
    run = analysis.load(ran.folder)
    table = analysis.verdict(run)
    assert table[["n_gen", "verdict", "n_seeds"]].to_numpy().tolist() == [[100, "hurts", 3], [1, OPEN, 5]]
    said = analysis.headline(run)
    assert said.verdict == "Hurts"
    assert said.notes[0] == (
        "Seeds were added, 3 to 5, until each contrast was decided; intervals, p-values and verdicts are those of a "
        "sequential t-test and hold although one looked after every seed."
    )
    page = (ran.folder / "report/index.html").read_text()
    assert "3 to 5, until decided; 19 cells of at most 25" in page
    assert "Seeds until it is decided" in page


def test_status_counts_what_is_wanted(ran: Place, ganaug: Ganaug) -> None:
    done = ganaug("status", "runs/tiny", cwd=ran.root)
    assert done.stdout.startswith("growing: 19 of 19 cells done, 0 missing"), done.stderr


def test_a_plan_says_least_and_most(study: Path, ganaug: Ganaug, tmp_path: Path) -> None:
    told = ganaug("plan", study, cwd=tmp_path).stdout
    assert "seeds       3 to 5, one more for every contrast that is still open" in told
    assert "15 cells for a start, told below; at most 25" in told


def test_a_study_with_a_list_of_seeds_is_left_as_it_is(make_grid: Callable[..., Grid]) -> None:
    grid = make_grid()
    assert narrowed(grid, RunFolder(Path("nowhere"))) is grid
