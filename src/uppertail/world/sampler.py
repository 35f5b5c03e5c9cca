"""A policy as a model: asked a prompt of the world, it answers as it can."""

from __future__ import annotations

from uppertail.errors import CallFailed
from uppertail.models.interface import Reply, Request
from uppertail.world.nature import World, plot_number
from uppertail.world.page import conversation, reply
from uppertail.world.policies import Policy


class WorldSampler:
    """Answers prompts of the world as `policy` would; the sample index picks the draw."""

    def __init__(self, world: World, policy: Policy) -> None:
        self._world = world
        self._policy = policy

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._policy.name

    async def complete(self, request: Request) -> Reply:
        """Return the response that `World.respond` gives for the prompt and the sample.

        Raises:
            CallFailed: the messages quote no prompt of the world.
        """
        said = conversation(request)
        number = plot_number(said)
        if number is None:
            raise CallFailed("the message quotes no prompt of the world (no 'plot no. …' in it)")
        return reply(said, self._world.respond(number, self._policy, request.sample).text)
