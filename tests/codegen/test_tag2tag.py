"""Copying tagged blocks."""

from __future__ import annotations

import pytest

from codegen.tag2tag import TagError, expand

BLOCK = """\
# tag-start: total
def total(values):
    for value in range(values):
        work(value)
# tag-end: total
"""


def test_copies_a_block_with_replacements() -> None:
    """The copy stands where the tag was, the block stays as it is."""
    text = expand(
        BLOCK + '# tag-copy: total; "total" -> "fast"; "range(" -> "prange("\n'
    )
    assert text.startswith(BLOCK)
    assert "def fast(values):\n    for value in prange(values):" in text


def test_a_replacement_may_add_a_line() -> None:
    r"""``\n`` in a tag is a line break, so that a decorator can be put on."""
    text = expand(BLOCK + r'# tag-copy: total; "def total" -> "@njit\ndef total"')
    assert "@njit\ndef total(values):" in text


def test_text_without_tags_is_unchanged() -> None:
    """Nothing but tags is touched."""
    assert expand("a = 1\n\n# a comment\n") == "a = 1\n\n# a comment\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (BLOCK + "# tag-copy: sum\n", "no block 'sum'; blocks here: total"),
        (BLOCK + '# tag-copy: total; "absent" -> "x"\n', "'absent' does not occur"),
        (BLOCK + "# tag-copy: total; absent to x\n", "write ;"),
        ("# tag-start: total\n", "never closed"),
        ("# tag-start: a\n# tag-start: b\n", "'a' is still open"),
        ("# tag-start: a\n# tag-end: b\n", "'b' ends but 'a' is open"),
    ],
)
def test_a_wrong_tag_is_named(text: str, complaint: str) -> None:
    """A mistake in a tag stops the build with its line."""
    with pytest.raises(TagError, match=complaint):
        expand(text)
