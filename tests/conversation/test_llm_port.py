"""The contract with a model: a failure keeps the vendor's words apart."""

from app.conversation.llm_port import ModelFailed
from app.errors import Failure


def test_a_failure_tells_status_and_kind_but_nobodys_words() -> None:
    error = ModelFailed("llm", Failure.BUSY, "HTTP 429", words="you asked about Anna", retry_after_s=2.0)

    assert str(error) == "llm: busy: HTTP 429"
    assert (error.retryable, error.retry_after_s, error.words) == (True, 2.0, "you asked about Anna")
