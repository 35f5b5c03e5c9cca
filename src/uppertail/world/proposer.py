"""A proposer that knows the easy qualities, and finds others where two responses differ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from uppertail.errors import CallFailed, InputError
from uppertail.models.interface import Reply, Request
from uppertail.types import content_id
from uppertail.world.chance import check_chances
from uppertail.world.lexicon import (
    OPPOSITES,
    PHRASES,
    STYLE_PHRASES,
    STYLES,
    TRIVIA,
    Feature,
    question,
)
from uppertail.world.nature import World, plot_number
from uppertail.world.page import blocks, conversation, need, preferred, reply, rubric_items

WEIGHTS = (1, 2, 3)

Item = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposerKnobs:
    """What a proposer knows, and how it errs. Every chance is in [0, 1] and off by default.

    At most one of the first three errors happens to a criterion; their chances must not add
    up to more than 1.
    """

    known: int = 9
    """Criteria of an initial rubric: the easiest qualities, as far as it can tell."""
    misjudged: float = 0.7
    """Standard deviation of its error about difficulties."""
    adds: int = 3
    """Most criteria that it adds when it contrasts two responses."""
    wrong: float = 0.0
    """Chance that a new criterion asks for something that is worth nothing."""
    stylistic: float = 0.0
    """Chance that a new criterion asks for a matter of style; where two responses are
    contrasted, for one that only one of them has."""
    overlapping: float = 0.0
    """Chance that a new criterion repeats one of the rubric in other words."""
    inverted: float = 0.0
    """Chance that a new criterion asks for the absence of a quality. Told which response is
    better, the proposer sees its error where the criterion would favour the worse one."""
    favours_first: float = 0.0
    """Chance that a difference is taken to speak for the response shown first, whichever
    has the quality."""
    misweighed: float = 0.0
    """Chance that a weight is drawn at random instead of known. Criteria whose weight the
    message does not show are weighed anew."""

    def __post_init__(self) -> None:
        """Refuse what is no probability.

        Raises:
            InputError: the message names the knob.
        """
        chances = ("wrong", "stylistic", "overlapping", "inverted", "favours_first", "misweighed")
        check_chances(self, *chances)
        if self.wrong + self.stylistic + self.overlapping > 1:
            raise InputError("wrong, stylistic and overlapping add up to more than 1")


class WorldProposer:
    """Answers the messages of `LLMProposer` with JSON text: initial rubrics and contrasts.

    An initial rubric holds the qualities that seem easiest. A contrast keeps the rubric and
    adds qualities that the two responses differ in and the rubric lacks. Draws are keyed by
    the world's seed, the whole message and the sample index.
    """

    def __init__(
        self,
        world: World,
        knobs: ProposerKnobs | None = None,
        *,
        name: str = "world/proposer",
    ) -> None:
        self._world = world
        self._knobs = knobs or ProposerKnobs()
        self._name = name

    @property
    def name(self) -> str:
        """The name that it was given."""
        return self._name

    async def complete(self, request: Request) -> Reply:
        """Return a rubric as a JSON array.

        Raises:
            CallFailed: the message quotes no prompt of the world, or a contrast lacks a block.
        """
        said = conversation(request)
        number = plot_number(said)
        if number is None:
            raise CallFailed("the message quotes no prompt of the world (no 'plot no. …' in it)")
        random = Random(content_id(str(self._world.seed), self._name, said, str(request.sample)))
        writer = _Writer(self._world, self._knobs, number, random)
        found = blocks(request.messages[0].content)
        if "rubric" in found:
            rubric, first, second = need(found, "rubric", "response1", "response2")
            pair = _Pair(first=first, second=second, better=preferred(said))
            items = writer.contrast(rubric_items(rubric), pair)
        else:
            items = writer.initial()
        return reply(said, json.dumps(items))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two responses to tell apart."""

    first: str
    second: str
    better: int | None
    """Which is better, 1 or 2, where the proposer was told."""

    def differ_in(self, feature: Feature) -> bool:
        return feature.in_text(self.first) != feature.in_text(self.second)


class _Writer:
    """One rubric in the making."""

    def __init__(self, world: World, knobs: ProposerKnobs, number: int, random: Random) -> None:
        self._knobs = knobs
        self._random = random
        self._qualities = world.qualities
        truth = world.truth(number)
        self._difficulties = truth.difficulties
        self._weights = dict(zip(world.qualities, truth.weights, strict=True))
        self._items: list[Item] = []
        self._texts: set[str] = set()
        self._covered: dict[Feature, None] = {}

    def initial(self) -> list[Item]:
        """Return the criteria that the prompt alone suggests."""
        seeming = [d + self._random.gauss(0, self._knobs.misjudged) for d in self._difficulties]
        order = sorted(range(len(seeming)), key=seeming.__getitem__)[: self._knobs.known]
        self._extend([self._qualities[k] for k in order], len(order), None)
        return self._items

    def contrast(self, rubric: Sequence[Item], pair: _Pair) -> list[Item]:
        """Return the rubric with criteria that tell the two responses apart."""
        for item in rubric:
            self._keep(item)
        new = [q for q in self._qualities if q not in self._covered and pair.differ_in(q)]
        self._random.shuffle(new)
        self._extend(new, self._knobs.adds, pair)
        return self._items

    def _keep(self, item: Item) -> None:
        """Take over a criterion; weigh it where the message does not show its weight."""
        text = str(item.get("criterion", ""))
        features = question(text).features
        self._put(text, item.get("weight") or self._weigh(*features), *features)
        self._items[-1] = {**item, **self._items[-1]}

    def _extend(self, qualities: Sequence[Feature], count: int, pair: _Pair | None) -> None:
        """Write at most `count` criteria: of these qualities in their order, or by error others."""
        knobs, left = self._knobs, iter(qualities)
        for _ in range(count):
            chance = self._random.random()
            if chance < knobs.wrong:
                self._beside_the_point(TRIVIA, pair)
            elif chance < knobs.wrong + knobs.stylistic:
                self._beside_the_point(STYLES, pair)
            elif chance < knobs.wrong + knobs.stylistic + knobs.overlapping:
                self._repeat()
            elif quality := next(left, None):
                forms = OPPOSITES if self._turned_round(quality, pair) else PHRASES
                self._put(forms[0].format(quality.name), self._weigh(quality), quality)

    def _beside_the_point(self, features: Sequence[Feature], pair: _Pair | None) -> None:
        """Ask for something that is worth nothing; of a pair, for something that differs."""
        choices = [
            f for f in features if f not in self._covered and (pair is None or pair.differ_in(f))
        ]
        if choices:
            feature = self._random.choice(choices)
            form = STYLE_PHRASES[0] if feature.kind == "style" else PHRASES[0]
            self._put(form.format(feature.name), self._weigh(feature), feature)

    def _repeat(self) -> None:
        """Ask in other words for a quality that the rubric asks for already."""
        again = (
            form.format(f.name) for f in self._covered if f.kind == "quality" for form in PHRASES
        )
        choices = [text for text in again if text not in self._texts]
        if choices:
            text = self._random.choice(choices)
            self._put(text, self._weigh(*question(text).features))

    def _turned_round(self, quality: Feature, pair: _Pair | None) -> bool:
        """Return whether the criterion asks for the quality's absence."""
        turned = self._random.random() < self._knobs.inverted
        if pair is None:
            return turned
        holder = 1 if quality.in_text(pair.first) else 2
        if self._random.random() < self._knobs.favours_first:
            turned = holder == 2
        # Absence would then speak for the worse response, and the proposer knows which that is.
        return turned and pair.better != holder

    def _weigh(self, *features: Feature) -> int:
        """Return the weight of the first quality among `features`, as far as it is known."""
        known = next((self._weights[f] for f in features if f in self._weights), None)
        if known is None or self._random.random() < self._knobs.misweighed:
            return self._random.choice(WEIGHTS)
        return known

    def _put(self, text: str, weight: object, *features: Feature) -> None:
        self._items.append({"criterion": text, "weight": weight})
        self._texts.add(text)
        self._covered.update(dict.fromkeys(features))
