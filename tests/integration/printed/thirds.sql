-- words: who is outside, and who has cost most over the target
WITH judged AS (
    SELECT *, coalesce(penalty_ratio > dead_band_ratio, TRUE) AS is_outside
    FROM exports.thirds, policy.settings
    WHERE status IN ('balanced', 'pretraining_heavy', 'posttraining_heavy', 'inference_heavy')
)
SELECT
    in_words(count(*) FILTER (is_outside)), in_words(count(*)), count(*) FILTER (is_outside)::TEXT, count(*)::TEXT,
    money(max(distance_usd) FILTER (is_outside)), whole(any_value(dead_band_ratio)), whole_more(any_value(dead_band_ratio)),
    whole_more(arg_max(penalty_ratio, distance_usd) FILTER (is_outside)), day(tonight())
FROM judged;

-- words: what stands at each dot
SELECT
    money(pretraining_usd + posttraining_usd + inference_usd),
    CASE
        WHEN status = 'too_young' THEN age_days || ' days'
        WHEN status <> 'no_own_pretraining' THEN whole_more(penalty_ratio)
    END
FROM exports.thirds WHERE pretraining_usd + posttraining_usd + inference_usd <> 0;

-- fixed: 100_% 0_% 60_% +25_% +50_% $300k $1.50M $5M 6_% six two

-- words: the lifetime ledger and its parts, by what was booked
WITH parts AS (
    SELECT CASE WHEN account IN ('idle', 'commitment_unused', 'shared') THEN 'idle and shared' ELSE account END, sum(effective_usd) AS usd
    FROM economics.monthly_spend WHERE account <> 'out_of_scope' GROUP BY ALL
)
SELECT money(usd) FROM parts UNION ALL SELECT money(sum(usd)) FROM parts;

-- table: Every model, by lifetime spend US$ million
WITH overhead AS (
    SELECT model_id, sum(idle_share_usd + shared_share_usd) AS overhead FROM economics.lifecycle_spend GROUP BY ALL
), lines AS (
    SELECT *, pretraining_usd + posttraining_usd + inference_usd AS direct, status = 'no_own_pretraining' AS is_adopted,
        status NOT IN ('no_own_pretraining', 'too_young') AND penalty_ratio > dead_band_ratio AS is_outside
    FROM exports.thirds JOIN overhead USING (model_id), policy.settings WHERE direct <> 0
), printed AS (
    SELECT -direct AS place,
        model_id, CASE WHEN is_adopted THEN '–' ELSE millions(pretraining_usd) END, millions(posttraining_usd), millions(inference_usd),
        millions(direct), millions(overhead),
        CASE
            WHEN is_adopted THEN 'post-training ' || whole(posttraining_ratio) || ', inference ' || whole(inference_ratio)
            ELSE 'pre-training ' || whole(pretraining_ratio) || ', post-training ' || whole(posttraining_ratio)
                || ', inference ' || whole(inference_ratio)
        END,
        'penalty ' || whole(penalty_ratio)
            || coalesce(', at retirement ' || whole(projected_penalty_ratio_p10) || ' to ' || whole(projected_penalty_ratio_p90), ''),
        CASE
            WHEN status = 'too_young' THEN 'too young'
            ELSE whole(penalty_ratio) || CASE WHEN is_adopted THEN ' †' ELSE '' END
        END,
        CASE WHEN is_outside THEN millions(distance_usd) ELSE '–' END, fixed(age_days, 0)
    FROM lines
    UNION ALL
    SELECT 0, 'All models', millions(sum(pretraining_usd)), millions(sum(posttraining_usd)), millions(sum(inference_usd)),
        millions(sum(direct)), millions(sum(overhead)), '', NULL, NULL, NULL, NULL
    FROM lines
)
SELECT * EXCLUDE (place) FROM printed ORDER BY place;
