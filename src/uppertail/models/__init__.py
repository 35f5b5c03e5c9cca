"""The only network code: endpoints, call journal, limits, spend, scripted models.

`ModelSession` opens what `resolve` names; everything that answers is a `Model`.
"""

from uppertail.models.account import Account, expected_usage
from uppertail.models.config import ModelConfig
from uppertail.models.interface import CallRole, Finish, Model, Reply, Request, Usage
from uppertail.models.journal import Answer, CallStore, Journal, RoleTotal, Spent, call_key
from uppertail.models.journaled import Journaled
from uppertail.models.limits import Limiter
from uppertail.models.prices import Price, price_of
from uppertail.models.providers import resolve
from uppertail.models.scripted import Replay, Scripted
from uppertail.models.session import ModelSession
from uppertail.models.settings import ModelSettings, load_settings
from uppertail.models.spend import Bill, Latency, RoleSpend, Spend
from uppertail.models.verdicts import PromptVerdicts, VerdictStore
from uppertail.models.warm import WarmFirst

__all__ = [
    "Account",
    "Answer",
    "Bill",
    "CallRole",
    "CallStore",
    "Finish",
    "Journal",
    "Journaled",
    "Latency",
    "Limiter",
    "Model",
    "ModelConfig",
    "ModelSession",
    "ModelSettings",
    "Price",
    "PromptVerdicts",
    "Replay",
    "Reply",
    "Request",
    "RoleSpend",
    "RoleTotal",
    "Scripted",
    "Spend",
    "Spent",
    "Usage",
    "VerdictStore",
    "WarmFirst",
    "call_key",
    "expected_usage",
    "load_settings",
    "price_of",
    "resolve",
]
