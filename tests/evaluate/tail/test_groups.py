"""Grouping by prompt and ranks within a prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uppertail.evaluate.tail import groups as module
from uppertail.evaluate.tail.groups import group, rank

columns = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40)


@given(columns)
def test_ranks_are_counts_within_the_prompt(rows):
    prompt, value = np.array(rows).T
    groups = group(prompt, np.ones(len(rows), dtype=bool))
    for chunk in groups.chunks():
        own, codes = value[chunk.rows].astype(float), prompt[chunk.rows]
        ranks = rank(own, chunk)
        for i in range(len(own)):
            same = own[codes == codes[i]]
            assert ranks.below[i] == (same < own[i]).sum()
            assert ranks.upto[i] == (same <= own[i]).sum()


@given(columns)
def test_every_usable_row_is_in_one_group_unless_it_is_alone(rows):
    prompt, value = np.array(rows).T
    usable = value > 0
    groups = group(prompt, usable)
    counts = np.bincount(prompt[usable], minlength=5)
    expected = [i for i in range(len(rows)) if usable[i] and counts[prompt[i]] >= 2]
    assert sorted(groups.rows) == expected
    assert groups.single == (counts == 1).sum()
    assert (np.diff(prompt[groups.rows]) >= 0).all()


def test_chunks_hold_whole_prompts_and_cover_all():
    prompt = np.repeat(np.arange(5000), 40)
    groups = group(prompt, np.ones(len(prompt), dtype=bool))
    chunks = list(groups.chunks())
    assert len(chunks) > 1
    assert np.concatenate([c.rows for c in chunks]).tolist() == groups.rows.tolist()
    assert all((c.sizes == 40).all() for c in chunks)
    assert groups.bundles == module.BUNDLES


def test_a_prompt_larger_than_a_chunk_is_one_chunk():
    size = module.CHUNK + 7
    groups = group(np.zeros(size, dtype=np.int64), np.ones(size, dtype=bool))
    assert [c.sizes.tolist() for c in groups.chunks()] == [[size]]


def test_nothing_usable_gives_no_groups():
    groups = group(np.array([0, 0]), np.zeros(2, dtype=bool))
    assert groups.prompts == 0
    assert list(groups.chunks()) == []


def test_quantiles_are_mid_ranks():
    groups = group(np.zeros(4, dtype=np.int64), np.ones(4, dtype=bool))
    chunk = next(groups.chunks())
    values = rank(np.array([1.0, 2.0, 2.0, 9.0]), chunk).quantile(chunk.per_row(chunk.sizes))
    assert values == pytest.approx([1 / 8, 1 / 2, 1 / 2, 7 / 8])
