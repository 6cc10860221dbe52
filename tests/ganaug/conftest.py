import pytest
import torch
from hypothesis import settings

settings.register_profile("ganaug", deadline=None, max_examples=20)
settings.load_profile("ganaug")


@pytest.fixture(autouse=True)
def one_thread():
    """Identity to the bit is promised for one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
