-- words: the month against its plan and the month before
SELECT
    money(now.effective_usd), money(now.plan_usd), whole(abs(now.effective_usd / now.plan_usd - 1)),
    percent(abs(now.effective_usd / now.plan_usd - 1)), change(now.effective_usd - ago.effective_usd),
    whole(abs(now.tokens / ago.tokens - 1)), per_mtok(now.fully_loaded_usd_per_mtok), per_mtok(now.used_usd_per_mtok),
    fixed(now.tokens / 1e12, 2) || ' trillion', fixed(now.tokens / 1e12, 2), percent(now.cached_ratio)
FROM reports.month_figures AS now, reports.month_figures AS ago
WHERE now.month = this_month() AND ago.month = last_month();

-- words: idle, waste, and cost with a model; the tiles and the checks
SELECT
    percent(now.idle_ratio), points(now.idle_ratio - ago.idle_ratio), money(now.idle_usd), money(now.waste_usd),
    percent(now.waste_ratio), money(abs(now.waste_usd - ago.waste_usd)), percent(now.goodput_ratio),
    percent(now.named_ratio), points(now.named_ratio - ago.named_ratio), money(now.unallocated_usd),
    percent(now.unallocated_usd / now.effective_usd)
FROM reports.month_figures AS now, reports.month_figures AS ago
WHERE now.month = this_month() AND ago.month = last_month();

-- words: the three entities that moved most, and the rest
SELECT change(change_usd) FROM reports.movers WHERE position <= 3
UNION ALL
SELECT change(sum(change_usd)) FROM reports.movers WHERE position > 3;

-- words: where the money went, by what was booked
WITH booked AS (
    SELECT coalesce(phase, account) AS class, sum(effective_usd) AS usd
    FROM economics.monthly_spend WHERE month = this_month() AND account <> 'out_of_scope' GROUP BY ALL
), classes AS (
    SELECT CASE class WHEN 'commitment_unused' THEN 'idle' ELSE class END AS class, sum(usd) AS usd FROM booked GROUP BY ALL
)
SELECT money(usd), whole(usd / sum(usd) OVER ()) FROM classes WHERE usd <> 0
UNION ALL
SELECT money(sum(usd)), '100 %' FROM classes WHERE class NOT IN ('pretraining', 'posttraining', 'inference');

-- words: the months of the chart and of the small curves
SELECT count(*) || ' months', money(min(effective_usd)), money(max(effective_usd)), min(year(month))::TEXT, max(year(month))::TEXT
FROM reports.month_figures;

-- words: the decisions, and how many they are
SELECT in_words(count(*)), '$0', money(max(monthly_saving_usd_p90))
FROM exports.recommendations WHERE rank <= 3 AND action <> 'hold';

-- table: Decisions requested
SELECT
    NULL, said(regexp_replace(reason, ';.*', '')),
    millions(one_off_usd_p50),
    'saves ' || money(monthly_saving_usd_p50) || ' a month, ' || span(monthly_saving_usd_p10, monthly_saving_usd_p90),
    millions(monthly_saving_usd_p50), fixed(payback_months_p50, 0), whole(probability), coalesce(owner, 'with next renewal')
FROM exports.recommendations
LEFT JOIN policy.models USING (model_id)
WHERE rank <= 3 ORDER BY rank;

-- words: the checks
SELECT
    whole(dead_band_ratio), day(tonight()), fixed(rate, 4),
    (SELECT fixed(sum(charges), 0) FROM exports.reconciliation),
    (SELECT count(*) FILTER (is_reconciled) || ' ' || count(*) FROM exports.reconciliation),
    (SELECT fixed(max(abs(invoice_total - billed_cost)), 2) || ' ' || fixed(max(tolerance), 2) FROM exports.reconciliation WHERE invoice_total IS NOT NULL),
    (SELECT fixed(sum(rows), 0) || ' ' || sum(quarantined) FROM raw.files),
    (SELECT money(coalesce(sum(billed_cost), 0)) FROM raw.quarantine)
FROM policy.settings, policy.fx WHERE month = this_month() AND fx.currency = 'EUR';

-- words: tokens whose model is known
SELECT percent(sum(input_tokens + output_tokens) FILTER (model_id IS NOT NULL) / sum(input_tokens + output_tokens)) FROM staging.token_usage;
