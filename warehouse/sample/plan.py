"""The plan: one invented company, from which its files are derived."""

from datetime import timedelta

from warehouse.sample.company import Company, at
from warehouse.sample.models import MODELS
from warehouse.sample.serving import DEPLOYMENTS, TRAFFIC
from warehouse.sample.supply import (
    END,
    EVERY_DAY,
    FIRST,
    ONCE,
    OWNED,
    PROVIDERS,
    SUPPLIES,
    commitment_lines,
    rates_of_the_euro,
    support_lines,
    tax_lines,
)
from warehouse.sample.training import LAW, runs

NIGHT = END - timedelta(days=1)


def quillmere(seed: int = 7) -> Company:
    """A company that does not exist, as known on the night of 20 November 2026."""
    bought = (
        *EVERY_DAY,
        *ONCE,
        *support_lines(),
        *(line for supply in SUPPLIES if supply.commitment for line in commitment_lines(supply)),
    )
    return Company(
        name="Quillmere AI",
        currency="USD",
        seed=seed,
        start=at(FIRST.isoformat()),
        end=at(END.isoformat()),
        models=MODELS,
        providers=PROVIDERS,
        owned=OWNED,
        supplies=SUPPLIES,
        lines=(*bought, *tax_lines(SUPPLIES, bought)),
        runs=runs(seed),
        deployments=DEPLOYMENTS,
        traffic=TRAFFIC,
        fx=rates_of_the_euro(),
        law=LAW,
    )
