"""What the efficacy benchmark compares: conditions of the world, and ways to refine in them."""

from __future__ import annotations

from dataclasses import replace

from efficacy_trials import Conditions, Way

from uppertail.refine.settings import PRESETS, Acceptance, Preset, Settings
from uppertail.world import DIVERSE, GOOD, GREAT, HACKER, HIGH, LOW, ProposerKnobs, VerifierKnobs


def preset(name: Preset, **changes: object) -> Settings:
    """Return a preset of the paper; responses are graded apart, so not at the end of a run."""
    paper = replace(PRESETS[name], final_scores=False)
    return replace(paper, **changes)  # type: ignore[arg-type]


FIVE = (
    Way(name="initial", settings=preset("initial"), per_policy=2),
    Way(name="one_good", settings=preset("one-good-pair"), pool=("good",), per_policy=2),
    Way(name="one_great", settings=preset("one-great-pair"), per_policy=2),
    Way(name="four_great", settings=preset("four-great", exclude_used=True)),
    Way(
        name="four_great_diverse",
        settings=preset("four-great-diverse", exclude_used=True),
        pool=("diverse",),
        per_policy=1,
    ),
)
"""The variants of Table 2; the contrasted pair leaves the pool, as in the reference simulation."""

CLEAN = Conditions(name="all off")

_ARTEFACT = 1.0

KNOBS = (
    CLEAN,
    Conditions(name="verifier error 10 %", verifier=VerifierKnobs(error=0.1)),
    Conditions(
        name="verifier error 10 %, half of it stubborn",
        verifier=VerifierKnobs(error=0.1, stubborn=0.5),
    ),
    Conditions(name="verifier leniency 20 %", verifier=VerifierKnobs(leniency=0.2)),
    Conditions(name="verifier position bias 20 %", verifier=VerifierKnobs(position=0.2)),
    Conditions(
        name="verifier length bias 20 %, a third of the responses padded",
        verifier=VerifierKnobs(length=0.2),
        great=replace(GREAT, padding=0.33),
        high=(replace(HIGH, padding=0.33),) * 2,
        low=(replace(LOW, padding=0.33),) * 2,
    ),
    Conditions(name="proposer 30 % wrong", proposer=ProposerKnobs(wrong=0.3)),
    Conditions(name="proposer 30 % stylistic", proposer=ProposerKnobs(stylistic=0.3)),
    Conditions(name="proposer 30 % overlapping", proposer=ProposerKnobs(overlapping=0.3)),
    Conditions(name="proposer 15 % inverted", proposer=ProposerKnobs(inverted=0.15)),
    Conditions(name="proposer favours the first, 20 %", proposer=ProposerKnobs(favours_first=0.2)),
    Conditions(name="proposer misweighs half", proposer=ProposerKnobs(misweighed=0.5)),
    Conditions(
        name="30 % stylistic, style follows quality in the pools only",
        proposer=ProposerKnobs(stylistic=0.3),
        good=replace(GOOD, style_follows_quality=_ARTEFACT),
        great=replace(GREAT, style_follows_quality=_ARTEFACT),
        diverse=tuple(replace(p, style_follows_quality=_ARTEFACT) for p in DIVERSE),
    ),
    Conditions(
        name="half of the pool near-duplicates",
        good=replace(GOOD, near_duplicates=0.5),
        great=replace(GREAT, near_duplicates=0.5),
    ),
    Conditions(
        name="30 % stylistic, length bias 20 %; honest against hacking",
        proposer=ProposerKnobs(stylistic=0.3),
        verifier=VerifierKnobs(length=0.2),
        high=(HIGH, HACKER),
    ),
)
"""One knob at a time, or two that only matter together."""


REALISTIC = Conditions(
    name="realistic",
    proposer=ProposerKnobs(
        wrong=0.1,
        stylistic=0.1,
        overlapping=0.1,
        inverted=0.05,
        favours_first=0.1,
        misweighed=0.3,
    ),
    verifier=VerifierKnobs(error=0.08, stubborn=0.5, leniency=0.05, position=0.05, length=0.05),
    good=replace(GOOD, near_duplicates=0.1, style_follows_quality=0.5, padding=0.2),
    great=replace(GREAT, near_duplicates=0.1, style_follows_quality=0.5, padding=0.2),
    diverse=tuple(replace(policy, style_follows_quality=0.5, padding=0.2) for policy in DIVERSE),
    high=(replace(HIGH, padding=0.2),) * 2,
    low=(replace(LOW, padding=0.2),) * 2,
)
"""Every knob at once. Two protocols of one verifier agree on about 91 % of verdicts (spec D.5),
which an error of 8 % on each, half of it shared, comes close to; the rest are guesses."""

PAPER = Way(name="paper preset (4 great pairs, all stay)", settings=preset("four-great"))
_SEPARATES = Acceptance(respect_labels=False)


def _changed(name: str, **changes: object) -> Way:
    return Way(name=name, settings=preset("four-great", **changes))


BETTER = _changed(
    "better: used pair leaves, 14 candidates, 7 rounds",
    exclude_used=True,
    pool_size=14,
    rounds=7,
)
"""As many fresh pairs as a pool of 14 holds, in no more calls than the paper's four rounds."""

CHOICES = (
    PAPER,
    BETTER,
    _changed("used pair leaves", exclude_used=True),
    _changed("prefer a tied pair", prefer="tied"),
    _changed("prefer the least alike of the best", prefer="different"),
    _changed("used pair leaves, tied", exclude_used=True, prefer="tied"),
    _changed("used pair leaves, least alike", exclude_used=True, prefer="different"),
    _changed("better-scored response first", shuffle_pair=False),
    replace(PAPER, name="weights hidden from the proposer", weights_hidden=True),
    _changed("accept only what separates the pair", accept=_SEPARATES),
    Way(
        name="told which is better (needs labels)",
        settings=preset("four-great", tell_preference=True),
        labelled=True,
    ),
    Way(
        name="accept what respects labels (needs labels)",
        settings=preset("four-great", accept=Acceptance()),
        labelled=True,
    ),
    _changed("1 round", rounds=1),
    _changed("2 rounds", rounds=2),
    _changed("7 rounds", rounds=7),
    _changed("used pair leaves, 8 candidates, 4 rounds", exclude_used=True, pool_size=8),
    _changed("used pair leaves, 12, 6 rounds", exclude_used=True, pool_size=12, rounds=6),
    _changed("used pair leaves, 16, 8 rounds", exclude_used=True, rounds=8),
    replace(PAPER, name="3 votes", votes=3),
    replace(BETTER, name="better, 3 votes", votes=3),
    replace(PAPER, name="pool of 8", per_policy=8),
    replace(PAPER, name="pool of 16 diverse", pool=("diverse",), per_policy=1),
    replace(BETTER, name="better, diverse", pool=("diverse",), per_policy=1),
    _changed("near-duplicates left out", skip_duplicates=True),
)
"""One change of the paper preset at a time, then the ones that go together."""
