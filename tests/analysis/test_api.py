"""The public names of `analysis`: all there, documented, and not hidden by a module of the same name."""

import inspect
import pkgutil

import pytest

import analysis


@pytest.mark.parametrize("name", analysis.__all__)
def test_a_public_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(analysis, name)
    assert callable(value)
    assert inspect.getdoc(value)


def test_no_module_is_called_like_a_function() -> None:
    """Importing `analysis.x` would put the module in place of a function `x`."""
    modules = {module.name for module in pkgutil.iter_modules(analysis.__path__)}
    assert not modules & set(analysis.__all__)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'heat_map'; it has .*heatmap.*verdict"):
        _ = analysis.heat_map
