"""Whether more or less of a quality metric is better; what no list names, workloads.csv must say."""

from __future__ import annotations

import re
from typing import Final

HIGHER: Final = (
    "accuracy", "auc", "auroc", "bertscore", "bleu", "chrf", "correctness", "elo", "em", "exact_match", "f1",
    "faithfulness",
    "gpqa", "gsm8k", "helpfulness", "humaneval", "log_likelihood", "mbpp", "meteor", "mmlu", "mrr", "mt_bench", "ndcg",
    "pass_1", "pass_10", "pass_rate", "precision", "preference", "r2", "rating", "recall", "resolved", "reward",
    "rouge",
    "rouge_1", "rouge_2", "rouge_l", "satisfaction", "score", "solved", "success_rate", "swe_bench", "win_rate",
)  # fmt: skip
LOWER: Final = (
    "bits_per_byte", "brier", "cer", "cross_entropy", "edit_distance", "error", "error_rate", "errors", "failure_rate",
    "false_positive_rate", "hallucination_rate", "hallucinations", "latency", "loss", "mae", "mape", "mse", "nll",
    "perplexity", "ppl", "rmse", "ter", "toxicity", "wer",
)  # fmt: skip


def better_direction(metric: str) -> str | None:
    """`higher` or `lower` by the last words of the name; None for a metric that no list names."""
    words = re.sub(r"[^a-z0-9]+", "_", metric.lower()).strip("_").split("_")
    endings = ["_".join(words[start:]) for start in range(len(words))]
    if any(ending in LOWER for ending in endings):
        return "lower"
    return "higher" if any(ending in HIGHER for ending in endings) else None
