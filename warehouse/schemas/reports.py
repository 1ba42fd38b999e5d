"""The numbers and sentences that the pages print."""

from warehouse.schemas.columns import text
from warehouse.schemas.table import Table
