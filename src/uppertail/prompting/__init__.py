"""Prompts out of templates, and what can be read in replies: pure, shared by all model stages."""

from uppertail.prompting.converse import Conversation, converse, follow_up
from uppertail.prompting.delimit import Block, delimit, encodable
from uppertail.prompting.reply import (
    Found,
    Json,
    Object,
    find_json,
    quote,
    split_reasoning,
    strip_reasoning,
)
from uppertail.prompting.template import (
    Template,
    include,
    parse,
    read_user_template,
    shipped,
    version_of,
)
from uppertail.prompting.vocabulary import describe_checks

__all__ = [
    "Block",
    "Conversation",
    "Found",
    "Json",
    "Object",
    "Template",
    "converse",
    "delimit",
    "describe_checks",
    "encodable",
    "find_json",
    "follow_up",
    "include",
    "parse",
    "quote",
    "read_user_template",
    "shipped",
    "split_reasoning",
    "strip_reasoning",
    "version_of",
]
