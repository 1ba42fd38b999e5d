-- words: who is outside, and who has cost most over the target; what has retired is not judged
WITH judged AS (
    SELECT thirds.*, dead_band_ratio, coalesce(penalty_ratio > dead_band_ratio, TRUE) AS is_outside
    FROM exports.thirds AS thirds JOIN policy.models USING (model_id), policy.settings
    WHERE status IN ('balanced', 'pretraining_heavy', 'posttraining_heavy', 'inference_heavy') AND coalesce(retires_on > tonight(), TRUE)
)
SELECT
    count(*) FILTER (is_outside)::TEXT, count(*) || ' models', count(*)::TEXT,
    money(max(distance_usd) FILTER (is_outside)), whole(any_value(dead_band_ratio)), whole_more(any_value(dead_band_ratio)),
    whole_more(arg_max(penalty_ratio, distance_usd) FILTER (is_outside)), day(tonight())
FROM judged;

-- words: what stands at the dots that are named: six at most, those outside the band first
SELECT
    money(pretraining_usd + posttraining_usd + inference_usd),
    CASE
        WHEN status = 'too_young' THEN age_days || ' days'
        WHEN status <> 'no_own_pretraining' THEN whole_more(penalty_ratio)
    END
FROM exports.thirds JOIN policy.models USING (model_id), policy.settings
WHERE pretraining_usd + posttraining_usd + inference_usd <> 0 AND coalesce(retires_on > tonight(), TRUE)
ORDER BY status IN ('too_young', 'no_own_pretraining') OR penalty_ratio <= dead_band_ratio, pretraining_usd + posttraining_usd + inference_usd DESC
LIMIT 6;

-- fixed: 100_% +25_% +50_% $300k $1.50M $5M 6_% two six 1 320_% three

-- words: the lifetime ledger and its parts, by what was booked
WITH parts AS (
    SELECT CASE WHEN account IN ('idle', 'commitment_unused', 'shared') THEN 'idle and shared' ELSE account END, sum(effective_usd) AS usd
    FROM economics.monthly_spend WHERE account <> 'out_of_scope' GROUP BY ALL
)
SELECT money(usd) FROM parts UNION ALL SELECT money(sum(usd)) FROM parts;

-- table: Every model US$ million
WITH overhead AS (
    SELECT model_id, sum(idle_share_usd + shared_share_usd) AS overhead FROM economics.lifecycle_spend GROUP BY ALL
), lines AS (
    SELECT thirds.*, overhead, dead_band_ratio, pretraining_usd + posttraining_usd + inference_usd AS direct, status = 'no_own_pretraining' AS is_adopted,
        coalesce(retires_on <= tonight(), FALSE) AS is_retired,
        status NOT IN ('no_own_pretraining', 'too_young') AND penalty_ratio > dead_band_ratio AS is_outside
    FROM exports.thirds AS thirds JOIN overhead USING (model_id) JOIN policy.models USING (model_id), policy.settings WHERE direct <> 0
), sums AS (
    SELECT 1 AS place, (SELECT count(*) FROM lines WHERE is_retired) || ' retired: ' || any_value(model_id) AS name, sum(pretraining_usd) AS pre, sum(posttraining_usd) AS post,
        sum(inference_usd) AS inf, sum(direct) AS direct, sum(overhead) AS overhead FROM lines WHERE is_retired
    UNION ALL
    SELECT 2, 'All models', sum(pretraining_usd), sum(posttraining_usd), sum(inference_usd), sum(direct), sum(overhead) FROM lines
), printed AS (
    SELECT 0 AS place, -direct AS size, (row_number() OVER (ORDER BY direct DESC))::TEXT, model_id || CASE WHEN is_adopted THEN ' †' ELSE '' END,
        CASE WHEN is_adopted THEN '–' ELSE millions(pretraining_usd) END, millions(posttraining_usd), millions(inference_usd),
        millions(direct), millions(overhead),
        CASE
            WHEN is_adopted THEN 'post-training ' || whole(posttraining_ratio) || ', inference ' || whole(inference_ratio)
            ELSE 'pre-training ' || whole(pretraining_ratio) || ', post-training ' || whole(posttraining_ratio)
                || ', inference ' || whole(inference_ratio)
        END,
        'cost of imbalance ' || whole(penalty_ratio)
            || coalesce(', at retirement ' || whole(projected_penalty_ratio_p10) || ' to ' || whole(projected_penalty_ratio_p90), ''),
        CASE WHEN status = 'too_young' THEN 'too young' ELSE whole_more(penalty_ratio) END,
        CASE WHEN is_outside THEN millions(distance_usd) ELSE '–' END, fixed(age_days, 0)
    FROM lines WHERE NOT is_retired
    UNION ALL
    SELECT place, 0, '', name, millions(pre), millions(post), millions(inf), millions(direct), millions(overhead),
        'pre-training ' || whole(pre / direct) || ', post-training ' || whole(post / direct) || ', inference ' || whole(inf / direct),
        NULL, NULL, NULL, NULL
    FROM sums
)
SELECT * EXCLUDE (place, size) FROM printed ORDER BY place, size;
