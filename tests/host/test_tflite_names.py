"""Names of tensors: the first of those that TensorFlow strung together, where it is one tensor's alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from host_tools.importers.tflite.names import tensor_names


def test_of_names_strung_together_a_blob_has_the_first() -> None:
    assert blobs("relu;norm/add;conv/kernel", "image") == ["relu", "image"]


def test_a_constant_keeps_its_names_and_does_not_take_a_blob_s() -> None:
    assert tensor_names(["relu;conv/bias", "relu;conv/kernel"], [True, False]) == ["relu;conv/bias", "relu"]


def test_a_first_name_that_two_blobs_have_is_neither_s() -> None:
    assert blobs("conv;a", "conv;b", "x") == ["conv;a", "conv;b", "x"]
    assert blobs("conv", "conv;b") == ["conv", "conv;b"]


def test_names_twice_there_and_names_left_out_are_told_apart() -> None:
    assert blobs("a", "a", "", "") == ["a", "a#1", "tensor 2", "tensor 3"]


@given(st.lists(st.tuples(st.text(alphabet="ab;#1 ", max_size=4), st.booleans()), max_size=8))
def test_each_tensor_has_a_name_of_its_own(stated: list[tuple[str, bool]]) -> None:
    names = tensor_names([name for name, _ in stated], [constant for _, constant in stated])
    assert len(set(names)) == len(stated) and all(names)


def blobs(*stated: str) -> list[str]:
    return tensor_names(stated, [False] * len(stated))
