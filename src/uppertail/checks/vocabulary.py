"""PLACEHOLDER until the check vocabulary lands."""

import msgspec


class NoComma(
    msgspec.Struct, frozen=True, tag="no_commas", tag_field="check", forbid_unknown_fields=True
):
    pass


Check = NoComma
