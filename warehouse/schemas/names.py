"""How names are compared: what all spellings of one name have in common."""

from __future__ import annotations

import unicodedata
from typing import Final

ACCRUAL: Final = "accrual"
"""The source of charges that no bill brings: policy/rates.csv accrues them, so no delivery may bear this name."""

CHARGE_FIELDS: Final = (
    "resource_id",
    "resource_name",
    "sub_account_id",
    "service_name",
    "sku_id",
    "charge_description",
    "region",
)
"""Fields of a charge that rules may name, beside `tag:<key>` and `sku_detail:<key>`."""

ZERO_WIDTH: Final = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
KEYED: Final = ("tag:", "label:", "sku_detail:")


def model_key(name: str) -> str:
    """A model's name as it is compared: NFC, without zero-width characters, trimmed, without case."""
    plain = unicodedata.normalize("NFC", name).translate(ZERO_WIDTH).strip().casefold()
    return unicodedata.normalize("NFC", plain)


def tag_key(key: str) -> str:
    """The key of a tag or label as it is compared: trimmed, without case."""
    return key.strip().lower()


def field_key(field: str) -> str:
    """A rule's field as it is compared: `tag:`, `label:` or `sku_detail:` and a key, or a column."""
    kind, colon, key = field.lower().partition(":")
    return kind + colon + tag_key(key) if kind + colon in KEYED else field.lower()
