"""`ganaug search` as a person uses it: searched, confirmed, resumed, killed, warm, and on PostgreSQL."""

import importlib.util
import json
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from tiny_run import Ganaug

from sweeps.execute import Evaluator
from sweeps.grid import Grid
from sweeps.search import warm
from sweeps.search.space import settle
from sweeps.store import Store

SEARCHED = """\
dataset: {name: digits, test_per_class: 70, validation_per_class: 10}
factors: {n_real: [3], n_gen: [0, 6], threshold: [0, 0.3, 0.5], seed: [0, 1]}
gan: {name: projection, steps: 4, width: 8, discriminator_width: 8}
pool: {chunk: 10, max_per_class: 20}
classifier: {steps: 5, width: 8}
assess: null
search: {steps: 4, confirm_seeds: [7, 8]}
"""


def benchmark(name: str) -> ModuleType:
    """A script of benchmarks/ as a module."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[2] / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


kills = benchmark("search_kills")


def study(folder: Path) -> Path:
    (folder / "tiny.yaml").write_text(SEARCHED)
    return folder


@pytest.fixture(scope="module")
def searched(ganaug: Ganaug, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search of the tiny study with its confirmation."""
    root = study(tmp_path_factory.mktemp("search"))
    done = ganaug("search", "tiny.yaml", "--workers", 2, cwd=root, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (root / "said").write_text(done.stdout)
    return root


def facts(root: Path) -> dict[str, Any]:
    return json.loads((root / "runs/tiny-search/search/search.json").read_text())


def trials(root: Path) -> pd.DataFrame:
    return pd.read_parquet(root / "runs/tiny-search/search/trials.parquet")


def made(root: Path, kind: str) -> set[str]:
    """Keys of what the store holds of a kind."""
    return {p.stem for p in (root / "runs/store/manifests" / kind).glob("??/*.json")}


def test_every_step_is_told_with_its_seeds(searched: Path) -> None:
    table = trials(searched)
    assert table["number"].tolist() == [0, 1, 2, 3]
    assert set(table["state"]) == {"complete"}
    assert set(table["source"]) == {"search"}
    assert table["threshold"].iloc[0] == 0, "no filter comes first: what the others are compared with"
    for row in table.to_dict("records"):
        assert row["value"] == pytest.approx(sum(row["accuracies"]) / 2)
        assert row["n_seeds"] == len(row["accuracies"]) == 2
    assert table["cost"].iloc[0] == 6, "without a filter as many candidates as images"


def test_after_the_generators_a_step_costs_classifiers_only(searched: Path) -> None:
    """Two search seeds and two fresh ones have a generator each, whatever the number of steps."""
    assert len(made(searched, "fit_gan")) == 4
    thresholds = trials(searched)["threshold"].nunique()
    assert len(made(searched, "validate")) == 2 * thresholds
    assert len(made(searched, "pool")) <= 4 * 2, "at most the two chunks that a pool may have"


def test_the_search_never_asks_for_test_images(searched: Path) -> None:
    """Records, which hold test predictions, are of fresh seeds only; a step's artifact names no test images."""
    records = pd.read_parquet(searched / "runs/tiny-search/records.parquet")
    assert sorted(set(records["seed"])) == [7, 8]
    assert made(searched, "measure") == set(records["cell"])


def test_the_winner_is_confirmed_on_fresh_seeds(searched: Path) -> None:
    summary = json.loads((searched / "runs/tiny-search/summary.json").read_text())
    best, known = summary["best"], facts(searched)
    table = trials(searched)
    assert known["best"]["value"] == table["value"].max()
    assert best["threshold"] == known["best"]["params"]["threshold"]
    assert best["validation_accuracy"] == known["best"]["value"]
    assert known["none"] == {"value": table["value"].iloc[0]}
    assert known["finished"]
    assert summary["primary"]["against"] == best["against"] == "real-only"
    wanted = {"real-only", "classic-da", "duplicated", "with-validation"} | (
        {"unfiltered"} if best["threshold"] else set()
    )
    assert set(best["contrasts"]) == wanted
    records = pd.read_parquet(searched / "runs/tiny-search/records.parquet")
    at = records[(records["arm"] == "generated") & (records["threshold"] == best["threshold"])]
    real = records[(records["arm"] == "real-only") & (records["clf_da"] == "none")]
    paired = at.merge(real, on="seed")
    gain = 100 * (paired["accuracy_x"] - paired["accuracy_y"]).mean()
    assert best["delta_points"] == pytest.approx(gain)
    if best["threshold"]:
        assert best["better_than_none"] == (best["contrasts"]["unfiltered"]["interval"][0] > 0)
    else:
        assert best["better_than_none"] is False


def test_it_ends_in_words(searched: Path) -> None:
    said = (searched / "said").read_text()
    assert "Best by validation images: threshold" in said
    assert "points against no filter. It was chosen for this number, so the number is too good." in said
    assert "Confirmed against real-only:" in said
    assert "not shown to be better than no filter" in said
    assert (searched / "runs/tiny-search/report/index.html").exists()


def test_the_same_command_runs_nothing_again_and_more_steps_go_on(searched: Path, ganaug: Ganaug) -> None:
    before, stored = trials(searched), made(searched, "validate")
    again = ganaug("search", "tiny.yaml", cwd=searched, timeout=300)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "4 of 4 steps done before" in again.stdout
    assert "step 5" not in again.stdout
    assert made(searched, "validate") == stored
    pd.testing.assert_frame_equal(trials(searched), before)
    more = ganaug("search", "tiny.yaml", "--steps", 5, "--no-confirm", cwd=searched, timeout=300)
    assert "step 5 of 5: threshold" in more.stdout, more.stdout + more.stderr
    pd.testing.assert_frame_equal(trials(searched).iloc[:4], before)


def test_a_grid_that_was_run_is_known_and_its_test_accuracies_are_not(
    make_grid: Callable[..., Grid], store: Store, tmp_path: Path
) -> None:
    """A grid's records become settings known beforehand, with the accuracy that their validation images give."""
    grid = make_grid("n_real=[3]", "n_gen=[6]", "threshold=[0, 0.03, 0.125]", "search.warm_start=true")
    evaluator = Evaluator(store)
    wanted: dict[float, list[float]] = {}
    for key, measure in grid.measures.items():
        if grid.factors[key]["arm"] != "generated" or (grid.factors[key]["threshold"], grid.factors[key]["seed"]) == (
            0.125,
            1,
        ):
            continue  # one cell is missing, and with it the setting is unknown
        said = evaluator.get(measure).arrays
        right = (said["validation"] == said["validation_labels"]).mean()
        wanted.setdefault(grid.factors[key]["threshold"], []).append(float(right))
    rows = warm.rows(settle(grid.study), grid.digest, store)
    assert {params["threshold"]: list(found.accuracies) for params, found in rows} == {t: wanted[t] for t in (0, 0.03)}
    other = make_grid("n_real=[3]", "threshold=[0, 0.5]", "search.warm_start=true")
    found = warm.rows(settle(other.study), other.digest, store)
    assert [params["threshold"] for params, _ in found] == [0, 0.03], "another study's thresholds, in hundredths"


def test_a_search_that_was_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = kills.place(tmp_path / "whole")
    process = kills.start(whole, 5)
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0, told
    killed = kills.place(tmp_path / "killed")
    for after in (1, 3):  # stopped as soon as so many steps are told: in the middle of the next
        process = kills.start(killed, 5)
        for line in process.stdout:
            if line.startswith(f"step {after} of"):
                break
        if after == 1:
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=300)
            assert process.returncode == 130, told
            assert "Interrupted; no finished step is lost. To go on: ganaug search tiny.yaml" in told
        kills.kill(process)
    assert 3 <= len(kills.finished(killed)) < 5
    hits, lost = kills.trial(killed, 0, 5, random.Random(0), 1.0)
    assert (hits, lost) == (0, 0)
    assert kills.history(killed) == kills.history(whole)


def test_the_dashboard_is_told_and_nothing_runs(ganaug: Ganaug, tmp_path: Path) -> None:
    done = ganaug("search", "tiny.yaml", "--dashboard", cwd=study(tmp_path))
    assert done.stdout == ("pip install optuna-dashboard\noptuna-dashboard runs/tiny-search/search/journal.log\n"), (
        done.stderr
    )
    assert not (tmp_path / "runs").exists()


def test_a_mistake_is_one_line(ganaug: Ganaug, tmp_path: Path) -> None:
    done = ganaug("search", "tiny.yaml", "--sampler", "tep", cwd=study(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "error: tiny.yaml: search.sampler: unknown sampler 'tep'; did you mean 'tpe'?\n"


BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _as_postgres(*command: Any) -> None:
    """Run one of the server's programs, which refuse to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True, text=True, cwd="/tmp")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL server of this test alone, on a socket in a folder of its own."""
    import tempfile

    if not BINARIES:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    here = BINARIES[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a socket's path has 107 characters at most
    if os.getuid() == 0:
        subprocess.run(["chown", "postgres", folder], check=True)
    _as_postgres(here / "initdb", "-D", folder / "data", "-U", "searcher", "-A", "trust", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    _as_postgres(here / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql+psycopg://searcher@/postgres?host={folder}"
    finally:
        _as_postgres(here / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
        subprocess.run(["rm", "-r", folder], check=True)


def test_two_drivers_share_a_search_on_postgresql(database: str, tmp_path: Path) -> None:
    roots = [kills.place(tmp_path / name) for name in ("one", "two")]
    drivers = [kills.start(root, 6, database) for root in roots]
    told = [d.communicate(timeout=300)[0] for d in drivers]
    assert [d.returncode for d in drivers] == [0, 0], told
    both = [kills.history(root) for root in roots]
    assert both[0] == both[1]
    assert len(both[0][0]) == 6
    assert all(row["state"] == "complete" for row in both[0][0])
    assert all("step " in text for text in told), "each did some of the steps"
    assert "searcher@" in json.loads((roots[0] / "runs/tiny-search/search/search.json").read_text())["storage"]
