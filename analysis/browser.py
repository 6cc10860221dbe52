"""A headless Chromium, where there is one: the report as PDF, and as a reader's browser shows it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ganaug.errors import UserError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


def find() -> str | None:
    """The program that the environment variable CHROMIUM names, or the first known one on the PATH; None without."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next((found for name in NAMES if (found := shutil.which(name))), None)


def browse(program: str, *arguments: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    """Run `program` once with a profile of its own that is thrown away. TimeoutExpired after `timeout` seconds."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses to run as root
    with tempfile.TemporaryDirectory(prefix="ganaug-chromium-", ignore_cleanup_errors=True) as profile:
        return subprocess.run(
            [program, *_FLAGS, *root, f"--user-data-dir={profile}", *arguments],
            capture_output=True, text=True, errors="replace", timeout=timeout,
        )  # fmt: skip


def write_pdf(page: Path, timeout: float = 120) -> Path:
    """Print `page` to a PDF beside it and return its path. UserError without a Chromium, or where it fails."""
    program = find()
    if program is None:
        raise UserError(
            f"--pdf: needs Chromium, and none of {', '.join(NAMES)} is on the PATH; install one, name it in the "
            f"environment variable CHROMIUM, or print {page} from any browser"
        )
    target = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory(prefix=".pdf-", dir=page.parent) as folder:
        made = Path(folder) / target.name
        try:
            done = browse(
                program, "--no-pdf-header-footer", "--virtual-time-budget=5000", f"--print-to-pdf={made}",
                page.absolute().as_uri(), timeout=timeout,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise UserError(f"--pdf: {program} did not finish within {timeout:.0f} s; print {page} yourself") from None
        if not made.exists():
            why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"--pdf: {program} wrote no PDF ({why}); print {page} from a browser")
        os.replace(made, target)
    return target
