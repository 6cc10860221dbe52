"""How the numbers of a report came about, in plain words: what was compared, what an interval covers and what not."""

from analysis.classic import classic_contrasts
from analysis.factors import described
from analysis.paired import deltas_over_seeds, usable
from analysis.run import Run
from analysis.words import plural, setting_names


def _looks(run: Run) -> str:
    k = len(deltas_over_seeds(run.grid)) + max(0, len(classic_contrasts(run)) - bool(run.primary))
    corrected = (
        f"This run has {plural(k, 'contrast')}. Who looks at many and tells of the best one tells of luck as well, so "
        f"p-values are corrected for all {'the others' if run.primary else 'of them'} (Holm 1979), and the average "
        "over all settings, which nobody chose, stands beside the best one."
    )
    if not run.primary:
        return f"No contrast was named before the run, so none is spared the correction. {corrected}"
    named = described(run.primary, [n for n in setting_names(run.grid) if n in run.primary])
    return (
        f"One contrast was named in the study before it ran: {named}, against {run.primary.get('against')}. Its test "
        f"needs no correction, because nobody chose it for its result; every other one is secondary. {corrected}"
    )


def _images(run: Run) -> str:
    n_test = run.cells["n_test"].max() if "n_test" in run.cells and len(usable(run.cells)) else None
    text = (
        f"{'The' if n_test is None else f'The {n_test}'} test images are the same for every cell and seed. They are "
        "read once, to count what a finished classifier gets right; GAN, filter, stopping rule and search never see "
        "them."
    )
    own = run.summary.get("validation_per_class")
    if own:
        text += (
            f" {plural(int(own), 'further labelled image')} per class are for validation: they calibrate the filter, "
            "train nothing unless the study says so, and count in the budget of labels."
        )
    return text


def _search(run: Run) -> list[tuple[str, str]]:
    if run.search is None:
        return []
    text = (
        "Each step of the search trained classifiers at one setting and counted what they got right of the validation "
        "images; test images were never asked for. The winner is the highest of many such numbers, so its own number "
        "is too high by what luck gave it. It was therefore run again over seeds that no step had used, with its "
        "controls, and measured on the test images once: those differences owe nothing to the choice."
    )
    return [("Search and confirmation", text)]


def method(run: Run) -> list[tuple[str, str]]:
    """(title, paragraph) pairs, with the numbers of this run in them."""
    margin = f"±{run.margin_points:g} {'point' if run.margin_points == 1 else 'points'}"
    if run.semi:
        return [("What is compared", _semi(run)), *_general(run, margin)[1:]]
    return _general(run, margin)


def _semi(run: Run) -> str:
    semi = run.semi or {}
    text = (
        "A classifier that learned from labelled and unlabelled images, and the same network that learned from the "
        "same labelled images alone, from the same first weights, for as many updates, under the same shifts. The "
        "difference is taken seed by seed. n_real is the number of labels per class; unlabelled images are further "
        "training images whose labels nothing reads, drawn without a look at their classes."
    )
    if semi.get("fewer_steps"):
        text += (
            f" The control of fewer updates had {semi['fewer_steps']} of them: what a gain against it holds beyond the "
            "gain against the matched control comes from updates, not from unlabelled images."
        )
    return text


def _sequential(run: Run) -> list[tuple[str, str]]:
    if run.looks is None:
        return []
    first, last = run.looks.first, run.looks.last
    text = (
        f"Every contrast began with {first} seeds and got one more at a time, {last} at most, while its verdict was open. "
        "Who looks again and again with an ordinary test finds something in the end; so each look at n seeds is held to a "
        f"level that grows with n / {last}, such that chance crosses at any look in 5 % of contrasts without an effect. "
        "Intervals are wider for it, and p-values larger; “no effect” has such a boundary too. Accuracies and class "
        "tables take all the seeds a setting has; averages over settings take the seeds that all of them have. A gain "
        "that ended its contrast early is a little flattered."
    )
    return [("Seeds until it is decided", text)]


def _general(run: Run, margin: str) -> list[tuple[str, str]]:
    return [
        (
            "What is compared",
            "A classifier that learned from real and generated images, and the same classifier that learned from the "
            "same real images alone; or one under classic augmentation and the same one without it. The difference is "
            "taken seed by seed: one seed fixes which real images are drawn "
            "and how training begins, so a lucky draw helps both sides and cancels.",
        ),
        (
            "What an interval is",
            "Mean ± t · s / √n over n seeds, with n − 1 degrees of freedom: the 95 % t-interval, on differences the "
            "one of a paired t-test (Student 1908). It covers the draw of real images and the chance in training. It "
            "does not cover the choice of test images, which all seeds share. One seed has no interval.",
        ),
        *_sequential(run),
        (
            "What the words mean",
            f"Helps: the interval lies above 0. Hurts: below 0. No effect: neither, and two one-sided tests show the "
            f"change to lie inside {margin} (Schuirmann 1987). Cannot tell yet: all else. Above the tables, “helps” is "
            "said only where its controls were run too: the same number of extra images that are copies of real ones, "
            "and classic augmentation.",
        ),
        ("Many looks", _looks(run)),
        ("Test and validation images", _images(run)),
        *_search(run),
        (
            "What leaves the means",
            "A cell that diverged or failed has no accuracy and enters nothing; what remains may look better than the "
            "method is, so such cells are counted everywhere. A starved cell, whose filter let too few images through, "
            "enters with what it got and is marked †.",
        ),
    ]
