-- words: how many decisions, and what they save together
SELECT in_words(decisions), span(monthly_saving_usd_p10, monthly_saving_usd_p90), money(monthly_saving_usd_p50)
FROM decisions.recommended_totals;

-- words: models that are left as they are
SELECT in_words(count(*)) FROM exports.recommendations WHERE action = 'hold';

-- may: the size that the title names, decisions without a card, and how many alternatives are not listed
SELECT tokens((assumptions ->> 'target_params')::DOUBLE) FROM exports.recommendations WHERE rank = 1
UNION ALL SELECT in_words(count(*)) FROM exports.recommendations WHERE action <> 'hold' AND model_id IS NULL
UNION ALL SELECT (sum(json_array_length(rejected)) - 6)::BIGINT::TEXT || ' others' FROM exports.recommendations;

-- may: what must hold of the quality, as far as there is room for it
SELECT said(quality_gate) FROM exports.recommendations;

-- may: what lost, the best two alternatives of each decision
SELECT lost(rejected -> 0), lost(rejected -> 1) FROM exports.recommendations ORDER BY rank;

-- words: the card of the first pool
WITH shown AS (SELECT * FROM exports.recommendations WHERE action <> 'hold' AND model_id IS NULL ORDER BY rank LIMIT 1),
curve AS (
    SELECT cash.* FROM decisions.cash_curves AS cash JOIN shown ON cash.pool_id = shown.pool_id AND cash.action = shown.action
    ORDER BY month DESC LIMIT 1
)
SELECT
    money(one_off_usd_p50), money(monthly_saving_usd_p50), span(monthly_saving_usd_p10, monthly_saving_usd_p90), whole(probability),
    months(payback_months_p50), lost(rejected -> 0), months(curve.month), change(cash_usd_p10), change(cash_usd_p50), change(cash_usd_p90)
FROM shown, curve;

-- table: Ranked US$ million
SELECT
    rank::TEXT, CASE WHEN action = 'retrain_smaller' THEN 'Retrain ' || model_id || ' at ' || tokens((assumptions ->> 'target_params')::DOUBLE) END,
    millions(one_off_usd_p50), millions(monthly_saving_usd_p10), millions(monthly_saving_usd_p50), millions(monthly_saving_usd_p90),
    millions(net_present_value_usd_p10), millions(net_present_value_usd_p50), millions(net_present_value_usd_p90),
    fixed(payback_months_p50, 0), whole(probability), NULL
FROM exports.recommendations WHERE action <> 'hold' ORDER BY rank;
