import gc

import pytest

from uppertail.garbage import SELDOM, Collections


@pytest.fixture(autouse=True)
def _as_it_was():
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)


def test_the_collector_is_seldom_until_the_last_block_ends_and_then_as_it_was():
    gc.set_threshold(701, 11, 12)
    collections = Collections()
    with collections.seldom():
        with collections.seldom():
            assert gc.get_threshold() == SELDOM
        assert gc.get_threshold() == SELDOM
    assert gc.get_threshold() == (701, 11, 12)


def test_an_error_in_the_block_leaves_the_collector_as_it_was():
    gc.set_threshold(701, 11, 12)
    with pytest.raises(ValueError, match="no"), Collections().seldom():
        raise ValueError("no")
    assert gc.get_threshold() == (701, 11, 12)


def test_a_collector_whose_thresholds_are_off_stays_off():
    gc.set_threshold(0, 11, 12)
    with Collections().seldom():
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold()[0] == 0


def test_a_collector_that_somebody_has_made_seldom_stays_as_it_is():
    gc.set_threshold(20_000, 11, 12)
    with Collections().seldom():
        assert gc.get_threshold() == (20_000, 11, 12)
    assert gc.get_threshold() == (20_000, 11, 12)
