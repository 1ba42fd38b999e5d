"""What the invented company buys: GPUs by pool and price, and everything else that stands on a bill."""

from datetime import date
from decimal import Decimal

from warehouse.sample.company import HOUR, Line, Provider, Supply, next_month

FIRST = date(2025, 12, 1)
END = date(2026, 11, 21)
MONTHS = (FIRST, *(date(2026, month, 1) for month in range(1, END.month + 1)))
CENT = Decimal("0.01")

TARNFELL = Provider("tarnfell", "Tarnfell Cloud", "tf-20417", "USD", "north-2", Decimal("0.011"))
SKERROW = Provider("skerrow", "Skerrow Compute", "sk-ql-03", "USD", "isle-1", Decimal("0.006"))
BRENLOCH = Provider("brenloch", "Brenloch Rechenzentrum", "BR-7741", "EUR", "de-mitte", Decimal(0))
PROVIDERS = (TARNFELL, SKERROW, BRENLOCH)
SERVICES = {"tarnfell": "Compute", "skerrow": "GPU Compute", "brenloch": "GPU-Server"}


def _committed(pool_id: str, chip: str, gpus: int, rate: str, first: date, end: date = END) -> Supply:
    """Reserved GPUs of the first provider."""
    list_rate = Decimal(rate) * 2
    return Supply(
        pool_id, "tarnfell", chip, gpus, Decimal(rate), list_rate, first, end, commitment=f"{pool_id}-{first:%Y%m}"
    )


SUPPLIES = (
    # Training: a third of it was not renewed in July.
    _committed("train-h100", "H100", 256, "2.85", FIRST),
    _committed("train-h100", "H100", 128, "2.85", FIRST, date(2026, 7, 1)),
    # Serving grows, and gets cheaper with each contract.
    _committed("serve-h100", "H100", 128, "3.10", date(2026, 1, 20)),
    _committed("serve-h100", "H100", 64, "3.10", date(2026, 3, 1)),
    _committed("serve-h100", "H100", 128, "2.95", date(2026, 5, 1)),
    _committed("serve-h100", "H100", 64, "2.95", date(2026, 7, 1)),
    _committed("serve-h100", "H100", 64, "2.80", date(2026, 8, 1)),
    _committed("serve-h100", "H100", 32, "2.80", date(2026, 9, 1)),
    _committed("serve-h100", "H100", 64, "2.70", date(2026, 10, 14)),
    # Office hours since October: bought by the hour.
    Supply(
        "serve-h100", "tarnfell", "H100", 32, Decimal("4.40"), Decimal("5.60"), date(2026, 10, 5), END,
        hours=(8, 20), weekdays=(0, 1, 2, 3, 4), gpus_per_row=8,
    ),
    # Reserved for three years in 2025; more than half of it stands empty since wren-7b retired.
    Supply(
        "reserve-a100", "tarnfell", "A100", 168, Decimal("1.60"), Decimal("3.20"), FIRST, END,
        commitment="reserve-a100-2025", unused_gpus=24, gpus_per_row=56,
    ),
    # Two campaigns of pre-training by the day.
    Supply(
        "train-h200", "skerrow", "H200", 256, Decimal("3.60"), Decimal("4.20"), date(2026, 1, 12), date(2026, 2, 6),
        gpus_per_row=64,
    ),
    Supply(
        "train-h200", "skerrow", "H200", 256, Decimal("3.60"), Decimal("4.20"), date(2026, 8, 3), date(2026, 9, 14),
        gpus_per_row=64,
    ),
    Supply(
        "serve-l40s", "skerrow", "L40S", 48, Decimal("1.30"), Decimal("1.55"), date(2026, 3, 16), END, gpus_per_row=24
    ),
    Supply(
        "image-l40s", "brenloch", "L40S", 16, Decimal("1.02"), Decimal("1.20"), date(2026, 2, 16), END, gpus_per_row=8
    ),
)  # fmt: skip

OWNED = (Supply("lab-a100", "", "A100", 64, Decimal("1.20"), Decimal("1.20"), FIRST, END),)


def _daily(provider: Provider, service: str, description: str, amount: str, account: str = "shared") -> Line:
    return Line(
        provider.name, service, description, Decimal(amount), FIRST, END,
        "out_of_scope" if account == "out_of_scope" else "shared", cadence="day",
    )  # fmt: skip


EVERY_DAY = (
    _daily(TARNFELL, "Kubernetes Engine", "Control planes and managed nodes", "2184.20"),
    _daily(TARNFELL, "Object Storage", "Data sets and checkpoints, TB-days", "1930.75"),
    _daily(TARNFELL, "Network", "Egress and interconnect, TB", "1211.46"),
    _daily(TARNFELL, "Observability", "Logs and metrics, GB", "402.18"),
    _daily(TARNFELL, "Web Hosting", "Corporate site and documentation", "37.90", "out_of_scope"),
    _daily(SKERROW, "Parallel File System", "Scratch, TB-days", "688.30"),
)

ONCE = (
    Line("tarnfell", "Compute", "Migration credit", Decimal(-75000), date(2026, 3, 1), date(2026, 4, 1),
         "adjustment", category="Credit"),
    Line("skerrow", "GPU Compute", "Price correction for August, contract amendment 4", Decimal("-38416.20"),
         date(2026, 8, 3), date(2026, 9, 1), "pool", charge_class="Correction", pool_id="train-h200",
         billed_in=date(2026, 10, 1)),
    Line("tarnfell", "Compute", "Untagged development nodes", Decimal("8214.66"), date(2026, 6, 8), date(2026, 6, 15),
         "unallocated"),
    Line("tarnfell", "Compute", "Untagged notebook servers", Decimal("3127.05"), date(2026, 9, 21), date(2026, 9, 28),
         "unallocated"),
    Line("tarnfell", "Marketplace", "Annotation service, no owner given", Decimal("12950.00"), date(2026, 10, 5),
         date(2026, 10, 30), "unallocated"),
)  # fmt: skip


def support_lines() -> tuple[Line, ...]:
    """Enterprise support, bought for each month."""
    return tuple(
        Line("tarnfell", "Support", "Enterprise support", Decimal(14500), month, next_month(month), "shared",
             category="Purchase")
        for month in MONTHS
    )  # fmt: skip


def commitment_lines(supply: Supply) -> tuple[Line, ...]:
    """The fee of each month of a commitment, used or not, and each day's part that nothing used."""
    fees = tuple(
        Line(supply.provider, SERVICES[supply.provider], f"Commitment fee, {supply.gpu_model}",
             _committed_gpu_hours(supply, first, end) * supply.rate, first, end, "pool", category="Purchase",
             effective=Decimal(0), pool_id=supply.pool_id, commitment=supply.commitment)
        for first, end in _months_of(supply)
    )  # fmt: skip
    wasted = supply.unused_gpus * supply.rate * 24
    unused = Line(
        supply.provider, SERVICES[supply.provider], f"Unused commitment, {supply.gpu_model}", Decimal(0), supply.first,
        supply.end, "commitment_unused", cadence="day", effective=wasted, pool_id=supply.pool_id,
        commitment=supply.commitment,
    )  # fmt: skip
    return (*fees, unused) if wasted else fees


def _committed_gpu_hours(supply: Supply, first: date, end: date) -> int:
    return (supply.gpus + supply.unused_gpus) * (end - first).days * 24


def _months_of(supply: Supply) -> list[tuple[date, date]]:
    """The commitment cut into months; one that goes on is billed to the end of the month."""
    end = supply.end if supply.end < END else next_month(END)
    starts = [month for month in MONTHS if month < end and next_month(month) > supply.first]
    return [(max(month, supply.first), min(next_month(month), end)) for month in starts]


def tax_lines(supplies: tuple[Supply, ...], lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Tax on what each closed month bills, to the cent, where the provider's country has one."""
    return tuple(
        Line(provider.name, "Tax", "Sales tax", _tax(provider, month, supplies, lines), month, next_month(month),
             "adjustment", category="Tax")
        for provider in PROVIDERS
        if provider.tax_ratio
        for month in MONTHS[:-1]
    )  # fmt: skip


def _tax(provider: Provider, month: date, supplies: tuple[Supply, ...], lines: tuple[Line, ...]) -> Decimal:
    used = sum(
        supply.gpus * supply.rate * round((end - start) / HOUR)
        for supply in supplies
        if supply.provider == provider.name and not supply.commitment
        for start, end in supply.intervals()
        if start.date().replace(day=1) == month
    )
    other = sum(
        line.amount
        for line in lines
        if line.provider == provider.name
        for start, _ in line.intervals()
        if (line.billed_in or start.date().replace(day=1)) == month
    )
    return ((used + other) * provider.tax_ratio).quantize(CENT)


def rates_of_the_euro() -> tuple[tuple[date, str, Decimal], ...]:
    """Invented monthly rates."""
    steps = ("1.082", "1.091", "1.087", "1.079", "1.094", "1.103", "1.098", "1.110", "1.106", "1.117", "1.121", "1.115")
    return tuple((month, "EUR", Decimal(rate)) for month, rate in zip(MONTHS, steps, strict=True))
