"""The twelve invented models in four families: who descends from whom, and who carries which part of the story."""

from warehouse.sample.company import Model

MODELS = (
    # Serving has outgrown training by far: a smaller one trained for longer would be cheaper to serve.
    Model(
        "heron-34b", "heron", 34e9, 2.02e12, "2026-01-26", "2027-12-31",
        aliases=("heron", "quillmere/heron-34b", "Heron Large"), owner="foundation",
    ),
    # Most of its money went into pre-training, and few use it.
    Model("heron-70b", "heron", 70e9, 1.5e12, "2026-05-11", "2027-03-31", aliases=("heron-xl",), owner="foundation"),
    # In balance.
    Model("heron-16b", "heron", 16e9, 2.1e12, "2026-03-10", "2027-02-28", aliases=("heron-m",), owner="foundation"),
    # A month old: too young to judge.
    Model("heron-22b", "heron", 22e9, 2.7e12, "2026-10-19", "2028-04-30", owner="foundation"),
    # Inherits the training of heron-34b in proportion to what it serves.
    Model(
        "heron-34b-legal", "heron", 34e9, None, "2026-04-15", "2027-12-31",
        base_model_id="heron-34b", owner="vertical",
    ),
    Model("wren-3b", "wren", 3e9, 1.5e12, "2026-04-01", aliases=("wren",), owner="edge"),
    # Retired with a balance still to be carried.
    Model("wren-7b", "wren", 7e9, 1.6e12, "2025-12-20", "2026-08-31", owner="edge"),
    # Someone else paid its pre-training.
    Model("osprey-base-32b", "osprey", 32e9, 14e12, "2026-02-02", origin="adopted", owner="code"),
    Model(
        "osprey-32b-code", "osprey", 32e9, None, "2026-06-22", "2027-12-31",
        aliases=("osprey", "quillmere/osprey-code"), base_model_id="osprey-base-32b", owner="code",
    ),
    # Distilled from osprey-32b-code, with measured quality on its two tasks.
    Model(
        "osprey-1b", "osprey", 1e9, 0.6e12, "2026-08-03",
        aliases=("osprey-mini",), teacher_model_id="osprey-32b-code", owner="code",
    ),
    # Nearly idle: eight requests a day on sixteen GPUs.
    Model("osprey-32b-sql", "osprey", 32e9, None, "2026-07-15", base_model_id="osprey-32b-code", owner="code"),
    # Serves images, not tokens.
    Model("plover-image-6b", "plover", 6e9, None, "2026-03-02", aliases=("plover",), owner="vision"),
)  # fmt: skip

PARAMS = {model.model_id: model.params for model in MODELS}
