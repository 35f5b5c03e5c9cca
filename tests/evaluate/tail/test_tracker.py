"""Onset, peak and drop: on the published training curves and on made-up ones."""

import pytest

from uppertail.evaluate.tail.published import FIGURE_4
from uppertail.evaluate.tail.tracker import Checkpoint, track

# Figure 4, health win rate: peak, its step, and the value at the end.
PUBLISHED = {
    "Initial": (23.6, 40, 13.7),
    "1 Good": (25.0, 40, 16.5),
    "1 Great": (30.6, 60, 18.7),
    "4 Great": (33.9, 140, 26.6),
    "4 Great & Diverse": (31.7, 100, 28.4),
}


def series(golds, proxies=None, kls=None):
    return [
        Checkpoint(
            step=10 * at,
            gold=gold,
            proxy=proxies[at] if proxies else float(at),
            kl=kls[at] if kls else None,
        )
        for at, gold in enumerate(golds)
    ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_peaks_and_drops(name):
    panel = FIGURE_4[0]
    values = dict(panel.series)[name]
    found = track([Checkpoint(step=s, gold=v) for s, v in zip(panel.steps, values, strict=True)])
    peak, step, end = PUBLISHED[name]
    assert found.peak is not None
    assert found.peak.step == step
    assert found.peak.gold == pytest.approx(peak, abs=0.051)
    assert found.drop == pytest.approx(peak - end, abs=0.11)


def test_the_initial_rubric_of_the_paper_should_have_been_stopped_early():
    panel = FIGURE_4[0]
    values = dict(panel.series)["Initial"]
    advice = [
        track(
            [Checkpoint(step=s, gold=v) for s, v in zip(panel.steps[:n], values, strict=False)],
            noise=4,
        ).advice
        for n in range(1, 12)
    ]
    assert advice.index("stop") == panel.steps.index(80)


def test_gold_that_falls_while_the_proxy_rises_is_over_optimisation():
    found = track(series([0.1, 0.3, 0.5, 0.6, 0.55, 0.4, 0.3]), noise=0.02)
    assert found.peak is not None
    assert found.onset is not None
    assert (found.peak.step, found.onset.step) == (30, 40)
    assert found.drop == pytest.approx(0.3)
    assert found.advice == "stop"
    assert "go back to step 30" in found.reason


def test_one_bad_checkpoint_is_no_reason_to_stop():
    found = track(series([0.1, 0.3, 0.5, 0.4]), noise=0.02)
    assert found.advice == "go on"
    assert found.onset is not None


def test_a_dip_that_recovers_is_no_onset():
    found = track(series([0.1, 0.5, 0.3, 0.5, 0.5]), noise=0.02)
    assert found.onset is None
    assert found.advice == "go on"


def test_gold_that_falls_together_with_the_proxy_is_another_failure():
    found = track(series([0.1, 0.5, 0.3, 0.2], [0.0, 1.0, 0.9, 0.8]), noise=0.02)
    assert found.onset is None


def test_noise_is_estimated_from_the_series():
    shaky = [0.5, 0.6, 0.5, 0.62, 0.5, 0.61, 0.5]
    assert track(series(shaky)).advice == "go on"
    assert track(series(shaky), noise=0.001).onset is not None


def test_checkpoints_without_gold_are_passed_over():
    found = track(series([None, 0.5, None, 0.3, 0.2]), noise=0.02)
    assert found.peak is not None
    assert found.peak.step == 10
    assert found.advice == "stop"


@pytest.mark.parametrize("golds", [[], [None, None, None, None], [0.1, 0.2]])
def test_too_few_golds_say_nothing(golds):
    found = track(series(golds))
    assert (found.advice, found.peak) == ("wait", None)
    assert "3 are needed" in found.reason


def test_a_kl_beyond_the_predicted_peak_stops_even_without_gold():
    kls = [0.1, 0.8, 1.6]
    assert track(series([None] * 3, kls=kls), kl_limit=1.4).advice == "stop"
    found = track(series([0.1, 0.2, 0.3], kls=kls), kl_limit=1.4)
    assert found.advice == "stop"
    assert "beyond the predicted peak" in found.reason
    assert track(series([0.1, 0.2, 0.3], kls=kls), kl_limit=2.0).advice == "go on"
