"""The error tree: what is said, and what may be tried again."""

import pytest

from app import errors
from app.errors import ConfigError, Failure, ProviderError


def test_a_config_error_lists_every_fault() -> None:
    assert str(ConfigError("PORT is odd", "HOST is even")) == "PORT is odd\nHOST is even"


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        (Failure.OVER_LIMIT, True),
        (Failure.BUSY, True),
        (Failure.NETWORK, True),
        (Failure.TIMEOUT, True),
        (Failure.CLOSED, True),
        (Failure.QUOTA, False),
        (Failure.AUTH, False),
        (Failure.BAD_REQUEST, False),
        (Failure.GARBAGE, False),
    ],
)
def test_only_what_passes_by_itself_is_worth_trying_again(kind: Failure, retryable: bool) -> None:
    assert ProviderError("vendor", kind).retryable is retryable


def test_a_provider_error_names_who_and_what() -> None:
    assert str(ProviderError("elevenlabs", Failure.QUOTA, "0 credits")) == "elevenlabs: quota: 0 credits"


def test_the_tree_in_the_docstring_names_every_error() -> None:
    classes = [
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)
    ]

    assert all(name in (errors.__doc__ or "") for name in classes)
