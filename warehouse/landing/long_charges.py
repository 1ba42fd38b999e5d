"""Rows of a bill whose GPUs may stand in it twice: by the month and by the day or hour."""

from __future__ import annotations

from typing import Final

import duckdb

from warehouse.schemas.raw import ChargeRows, LongCharges

# Most bills have no such resource; staging compares these rows, and these alone, over all days.
_RESOURCES: Final = f"""
    WITH used AS (
        SELECT source, resource_id, charge_start, charge_end, charge_end - charge_start AS lasting
        FROM {ChargeRows.qualified()}
        WHERE resource_id IS NOT NULL AND charge_category = 'Usage' AND consumed_quantity > 0
            AND (lower(consumed_unit) LIKE 'h%' OR lower(consumed_unit) LIKE '%gpu%')
    ), long AS (
        SELECT DISTINCT source, resource_id, charge_start, charge_end, lasting FROM used WHERE lasting > INTERVAL 1 DAY
    )
    SELECT DISTINCT source, resource_id FROM long JOIN used AS shorter USING (source, resource_id)
    WHERE shorter.lasting < long.lasting
        AND shorter.charge_start < long.charge_end AND long.charge_start < shorter.charge_end
"""


def note_long_charges(connection: duckdb.DuckDBPyConnection) -> None:
    """Write raw.long_charges: the rows of resources that a row of more than a day bills beside shorter ones."""
    connection.execute(f"DELETE FROM {LongCharges.qualified()}")
    connection.execute(
        f"""
        INSERT INTO {LongCharges.qualified()} BY NAME
        SELECT * FROM {ChargeRows.qualified()} SEMI JOIN ({_RESOURCES}) AS resources USING (source, resource_id)
        """
    )
