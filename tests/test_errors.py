"""One tree of faults, one look-up."""

import pytest

from mien import errors


def test_every_fault_is_a_mien_error() -> None:
    found = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, Exception)]
    assert len(found) == 8
    assert all(issubclass(item, errors.MienError) and item.__doc__ for item in found)
    assert all(item.__name__ in (errors.__doc__ or "") for item in found)


def test_lookup_finds() -> None:
    assert errors.lookup({"kl": 1, "emd": 2}, "emd", "loss") == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("brir", "unknown loss 'brir', did you mean 'brier'? (one of: brier, kl)"),
        ("zzz", "unknown loss 'zzz' (one of: brier, kl)"),
        (None, "unknown loss 'None' (one of: brier, kl)"),
        (3, "unknown loss '3' (one of: brier, kl)"),
    ],
)
def test_lookup_names_the_choices(name: str, message: str) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        errors.lookup({"kl": 1, "brier": 2}, name, "loss")
    assert str(caught.value) == message


def test_lookup_raises_what_the_caller_chooses() -> None:
    with pytest.raises(errors.StoreError, match="unknown split 'valid'"):
        errors.lookup({"validation": 1}, "valid", "split", errors.StoreError)
