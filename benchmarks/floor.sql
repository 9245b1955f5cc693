-- The floor: scheme general-risk on 2026-11-21 (day 20778), for DuckDB.
-- Written by `python -m benchmarks.floor --write`; tests/test_benchmarks.py sees that it is current.
-- Where a feed was connected, no record means zero (0); elsewhere it means nothing (NULL).
CREATE OR REPLACE TEMP TABLE feed AS
  SELECT d.division,
    CASE WHEN bool_or(c.kind = 1) THEN 0 END AS registration_ever,
    CASE WHEN bool_or(c.kind = 2) THEN 0 END AS penalty_ever,
    CASE WHEN bool_or(c.kind = 2 AND coalesce(c.to_day, 20778) > 20413) THEN 0 END AS penalty_365d,
    CASE WHEN bool_or(c.kind = 2 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS penalty_730d,
    CASE WHEN bool_or(c.kind = 2 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS penalty_1095d,
    CASE WHEN bool_or(c.kind = 3) THEN 0 END AS abnormal_listing_ever,
    CASE WHEN bool_or(c.kind = 3 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS abnormal_listing_1095d,
    CASE WHEN bool_or(c.kind = 4) THEN 0 END AS serious_listing_ever,
    CASE WHEN bool_or(c.kind = 4 AND coalesce(c.to_day, 20778) > 18953) THEN 0 END AS serious_listing_1825d,
    CASE WHEN bool_or(c.kind = 5 AND coalesce(c.to_day, 20778) > 20413) THEN 0 END AS spot_check_365d,
    CASE WHEN bool_or(c.kind = 5 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS spot_check_730d,
    CASE WHEN bool_or(c.kind = 5 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS spot_check_1095d,
    CASE WHEN bool_or(c.kind = 6 AND coalesce(c.to_day, 20778) > 20688) THEN 0 END AS item_12315_90d,
    CASE WHEN bool_or(c.kind = 6 AND coalesce(c.to_day, 20778) > 20413) THEN 0 END AS item_12315_365d,
    CASE WHEN bool_or(c.kind = 6 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS item_12315_730d,
    CASE WHEN bool_or(c.kind = 7 AND coalesce(c.to_day, 20778) > 20413) THEN 0 END AS annual_report_365d,
    CASE WHEN bool_or(c.kind = 7 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS annual_report_1095d,
    CASE WHEN bool_or(c.kind = 8) THEN 0 END AS licence_ever,
    CASE WHEN bool_or(c.kind = 8 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS licence_1095d,
    CASE WHEN bool_or(c.kind = 9 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS product_sampling_730d,
    CASE WHEN bool_or(c.kind = 9 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS product_sampling_1095d,
    CASE WHEN bool_or(c.kind = 10 AND coalesce(c.to_day, 20778) > 20413) THEN 0 END AS registration_change_365d,
    CASE WHEN bool_or(c.kind = 10 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS registration_change_730d,
    CASE WHEN bool_or(c.kind = 10 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS registration_change_1095d,
    CASE WHEN bool_or(c.kind = 11) THEN 0 END AS certification_ever,
    CASE WHEN bool_or(c.kind = 11 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS certification_730d,
    CASE WHEN bool_or(c.kind = 12) THEN 0 END AS standard_declared_ever,
    CASE WHEN bool_or(c.kind = 13 AND coalesce(c.to_day, 20778) > 19683) THEN 0 END AS recall_1095d,
    CASE WHEN bool_or(c.kind = 14) THEN 0 END AS award_ever,
    CASE WHEN bool_or(c.kind = 15 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS satisfaction_survey_730d,
    CASE WHEN bool_or(c.kind = 16) THEN 0 END AS outside_list_ever,
    CASE WHEN bool_or(c.kind = 16 AND coalesce(c.to_day, 20778) > 20048) THEN 0 END AS outside_list_730d,
    CASE WHEN bool_or(c.kind = 17 AND coalesce(c.to_day, 20778) > 18953) THEN 0 END AS accident_1825d,
    CASE WHEN bool_or(c.kind = 18) THEN 0 END AS relation_ever,
    CASE WHEN bool_or(c.kind = 18 AND coalesce(c.to_day, 20778) > 20413) THEN 0 END AS relation_365d,
    coalesce(bit_or(CASE WHEN c.from_day <= 20635 AND coalesce(c.to_day, 20635) >= 20635 THEN 1 ELSE 0 END | CASE WHEN c.from_day <= 20270 AND coalesce(c.to_day, 20270) >= 20270 THEN 2 ELSE 0 END | CASE WHEN c.from_day <= 19905 AND coalesce(c.to_day, 19905) >= 19905 THEN 4 ELSE 0 END) FILTER (c.kind = 7), 0) AS annual_report_due
  FROM (SELECT DISTINCT division FROM population) d
  LEFT JOIN coverage c ON starts_with(d.division, c.division) AND c.from_day <= 20778
  GROUP BY d.division;

-- The frozen context: who is not named has 0, where the context answers at all.
CREATE OR REPLACE TEMP TABLE answer AS
  SELECT
    CASE WHEN bool_or(name = 'related_abnormal') THEN 0 END AS related_abnormal,
    CASE WHEN bool_or(name = 'related_penalised') THEN 0 END AS related_penalised,
    CASE WHEN bool_or(name = 'related_revoked') THEN 0 END AS related_revoked,
    CASE WHEN bool_or(name = 'related_serious') THEN 0 END AS related_serious,
    CASE WHEN bool_or(name = 'related_worst') THEN 0 END AS related_worst,
    CASE WHEN bool_or(name = 'representative_others') THEN 0 END AS representative_others,
    CASE WHEN bool_or(name = 'representative_revoked') THEN 0 END AS representative_revoked,
    CASE WHEN bool_or(name = 'same_address') THEN 0 END AS same_address
  FROM answered;

CREATE OR REPLACE TEMP TABLE held AS
  SELECT entity,
    max(value) FILTER (name = 'related_abnormal') AS related_abnormal,
    max(value) FILTER (name = 'related_penalised') AS related_penalised,
    max(value) FILTER (name = 'related_revoked') AS related_revoked,
    max(value) FILTER (name = 'related_serious') AS related_serious,
    max(value) FILTER (name = 'related_worst') AS related_worst,
    max(value) FILTER (name = 'representative_others') AS representative_others,
    max(value) FILTER (name = 'representative_revoked') AS representative_revoked,
    max(value) FILTER (name = 'same_address') AS same_address
  FROM context
  WHERE name IN ('related_abnormal', 'related_penalised', 'related_revoked', 'related_serious', 'related_worst', 'representative_others', 'representative_revoked', 'same_address')
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE norm AS
  SELECT code,
    max(greatest(value, 500)) FILTER (name = 'complaints') AS complaints_to_norm,
    max(greatest(value, 500)) FILTER (name = 'penalties') AS penalties_to_norm
  FROM (SELECT name, value, unnest(range(low, high + 1)) AS code FROM norms SEMI JOIN answered USING (name))
  GROUP BY code;

CREATE OR REPLACE TEMP TABLE registration AS
  SELECT entity,
    CASE WHEN age < 365 THEN 0 WHEN age < 1095 THEN 1 WHEN age < 1825 THEN 2 WHEN age < 3650 THEN 3 WHEN age IS NOT NULL THEN 4 END AS age_step,
    amount AS capital_fen,
    CASE WHEN amount BETWEEN 1 AND 9999999 THEN 1 WHEN amount BETWEEN 10000000 AND 99999999 THEN 2 WHEN amount BETWEEN 100000000 AND 999999999 THEN 3 WHEN amount BETWEEN 1000000000 AND 9999999999 THEN 4 WHEN amount BETWEEN 10000000000 AND 9000000000000000 THEN 5 ELSE 0 END AS capital_step,
    CASE WHEN code BETWEEN 2500 AND 2699 THEN 1 WHEN code BETWEEN 3411 AND 3419 THEN 1 WHEN code BETWEEN 3431 AND 3439 THEN 1 WHEN code BETWEEN 4500 AND 4599 THEN 1 WHEN code BETWEEN 5265 AND 5267 THEN 1 ELSE 0 END AS industry_equipment,
    CASE WHEN code BETWEEN 1300 AND 1529 THEN 1 WHEN code BETWEEN 5121 AND 5129 THEN 1 WHEN code BETWEEN 5211 AND 5212 THEN 1 WHEN code BETWEEN 5221 AND 5229 THEN 1 WHEN code BETWEEN 6210 AND 6299 THEN 1 ELSE 0 END AS industry_food,
    CASE WHEN code BETWEEN 8040 AND 8059 THEN 1 WHEN code BETWEEN 8310 AND 8399 THEN 1 WHEN code BETWEEN 8930 AND 8939 THEN 1 WHEN code BETWEEN 9010 AND 9019 THEN 1 ELSE 0 END AS industry_prepaid,
    CASE WHEN code BETWEEN 0 AND 0 THEN 0 WHEN code BETWEEN 100 AND 599 THEN 0 WHEN code BETWEEN 600 AND 1299 THEN 3 WHEN code BETWEEN 1300 AND 1599 THEN 4 WHEN code BETWEEN 1700 AND 1999 THEN 1 WHEN code BETWEEN 2500 AND 2799 THEN 4 WHEN code BETWEEN 4500 AND 4599 THEN 4 WHEN code BETWEEN 5100 AND 5199 THEN 1 WHEN code BETWEEN 5210 AND 5219 THEN 3 WHEN code BETWEEN 5220 AND 5229 THEN 4 WHEN code BETWEEN 5250 AND 5259 THEN 3 WHEN code BETWEEN 5290 AND 5299 THEN 3 WHEN code BETWEEN 5300 AND 6099 THEN 1 WHEN code BETWEEN 6100 AND 6299 THEN 4 WHEN code BETWEEN 6300 AND 6599 THEN 0 WHEN code BETWEEN 6600 AND 6999 THEN 3 WHEN code BETWEEN 7100 AND 7199 THEN 2 WHEN code BETWEEN 7200 AND 7599 THEN 0 WHEN code BETWEEN 8000 AND 8099 THEN 3 WHEN code BETWEEN 8300 AND 8399 THEN 3 WHEN code BETWEEN 8900 AND 9099 THEN 3 ELSE 2 END AS industry_risk,
    severity AS registration_state,
    CASE WHEN ends <= 20778 THEN 1 ELSE 0 END AS term_expired,
    code,
    year(DATE '1970-01-01' + day) AS established
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 1 AND day <= 20778);

CREATE OR REPLACE TEMP TABLE penalty AS
  SELECT entity,
    max(amount) FILTER (age < 1095) AS largest_fine_3y,
    nullif(count(*) FILTER (severity >= 1 AND age < 365), 0) AS penalties_1y,
    nullif(count(*) FILTER (severity >= 1 AND age < 730), 0) AS penalties_2y,
    nullif(count(*) FILTER (severity >= 1 AND age < 1095), 0) AS penalties_3y,
    nullif(count(*) FILTER (code IN (7, 8, 9, 10, 11, 12) AND age < 1095), 0) AS penalties_heavier_3y,
    nullif(count(*) FILTER (severity = 3 AND age < 1095), 0) AS penalties_serious_3y,
    CASE WHEN min(age) FILTER (severity = 2) < 90 THEN 0 WHEN min(age) FILTER (severity = 2) < 365 THEN 1 WHEN min(age) FILTER (severity = 2) < 1095 THEN 2 WHEN min(age) FILTER (severity = 2) IS NOT NULL THEN 3 END AS penalty_general_age,
    (sum(severity * CASE WHEN age < 365 THEN 100 WHEN age < 730 THEN 67 WHEN age < 1095 THEN 34 ELSE 0 END) FILTER (severity >= 1 AND age < 1095))::BIGINT // 100 AS penalty_load,
    CASE WHEN min(age) FILTER (severity = 1) < 90 THEN 0 WHEN min(age) FILTER (severity = 1) < 365 THEN 1 WHEN min(age) FILTER (severity = 1) < 1095 THEN 2 WHEN min(age) FILTER (severity = 1) IS NOT NULL THEN 3 END AS penalty_minor_age
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 2 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE abnormal_listing AS
  SELECT entity,
    nullif(count(*) FILTER (age < 1095), 0) AS abnormal_3y,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 3))::BIGINT AS abnormal_false_info,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 1))::BIGINT AS abnormal_no_report,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END))::BIGINT AS abnormal_open,
    CASE WHEN max(CASE WHEN (ends IS NULL OR ends > 20778) THEN age ELSE -1 END) < 365 THEN 0 WHEN max(CASE WHEN (ends IS NULL OR ends > 20778) THEN age ELSE -1 END) < 730 THEN 1 WHEN max(CASE WHEN (ends IS NULL OR ends > 20778) THEN age ELSE -1 END) < 1095 THEN 2 WHEN max(CASE WHEN (ends IS NULL OR ends > 20778) THEN age ELSE -1 END) IS NOT NULL THEN 3 END AS abnormal_open_age,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 2))::BIGINT AS abnormal_other_info,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 4))::BIGINT AS uncontactable_now
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 3 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE serious_listing AS
  SELECT entity,
    nullif(count(*) FILTER (age < 1825), 0) AS serious_5y,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END))::BIGINT AS serious_open
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 4 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE spot_check AS
  SELECT entity,
    arg_max(severity, (day::BIGINT << 36) | seq) FILTER (age < 730) AS check_last_severity,
    nullif(count(*) FILTER (code = 1 AND age < 730), 0) AS checks_clean_2y,
    nullif(count(*) FILTER (code IN (8, 9) AND age < 730), 0) AS checks_info_2y,
    nullif(count(*) FILTER (code = 3 AND age < 365), 0) AS checks_pending_1y,
    nullif(count(*) FILTER (code IN (2, 3, 10) AND severity >= 1 AND age < 730), 0) AS checks_problem_2y,
    nullif(count(*) FILTER (code = 5 AND age < 730), 0) AS checks_refused_2y,
    nullif(count(*) FILTER (code = 5 AND severity = 3 AND age < 730), 0) AS checks_refused_serious_2y,
    nullif(count(*) FILTER (severity = 3 AND age < 1095), 0) AS checks_serious_3y,
    nullif(count(*) FILTER (code = 4 AND age < 730), 0) AS checks_uncontactable_2y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 5 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE item_12315 AS
  SELECT entity,
    (sum(severity * CASE WHEN age < 365 THEN 100 WHEN age < 730 THEN 50 ELSE 0 END) FILTER (code = 1 AND severity >= 2 AND age < 730))::BIGINT // 100 AS complaint_load,
    nullif(count(*) FILTER (code = 1 AND severity >= 1 AND age < 90), 0) AS complaints_90d,
    nullif(count(*) FILTER (code = 1 AND severity = 3 AND age < 730), 0) AS complaints_refused_2y,
    nullif(count(*) FILTER (code = 1 AND severity >= 2 AND age < 365), 0) AS complaints_upheld_1y,
    (sum(amount) FILTER (code = 1 AND severity >= 2 AND age < 365))::BIGINT // 100 AS disputes_1y_yuan,
    nullif(count(*) FILTER (code = 2 AND severity = 1 AND age < 365), 0) AS reports_open_1y,
    nullif(count(*) FILTER (code = 2 AND severity >= 2 AND age < 365), 0) AS reports_upheld_1y,
    nullif(count(*) FILTER (code = 2 AND severity >= 2 AND age < 730), 0) AS reports_upheld_2y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 6 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE annual_report AS
  SELECT entity,
    nullif(count(*) FILTER (severity = 2 AND age < 1095), 0) AS annual_false_3y,
    nullif(count(*) FILTER (severity = 1 AND age < 365), 0) AS annual_late_1y,
    nullif(count(*) FILTER (severity = 1 AND age < 1095), 0) AS annual_late_3y,
    nullif(count(*) FILTER (severity = 0 AND age < 1095), 0) AS annual_on_time_3y,
    bit_or(CASE code WHEN 2025 THEN 1 WHEN 2024 THEN 2 WHEN 2023 THEN 4 ELSE 0 END) AS reported
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 7 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE licence AS
  SELECT entity,
    (arg_max(coalesce(ends, 2147483647), (day::BIGINT << 36) | seq) FILTER (code IN (1, 2) AND severity = 0) <= 20778)::INTEGER AS food_licence_expired,
    (arg_max(coalesce(ends, 2147483647), (day::BIGINT << 36) | seq) FILTER (severity = 0) <= 20808)::INTEGER AS licence_ends_soon,
    (arg_max(coalesce(ends, 2147483647), (day::BIGINT << 36) | seq) FILTER (severity = 0) <= 20778)::INTEGER AS licence_expired,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (severity = 0))::BIGINT AS licences_in_force,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (severity = 1))::BIGINT AS licences_suspended,
    nullif(count(*) FILTER (severity = 3 AND age < 1095), 0) AS licences_withdrawn_3y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 8 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE product_sampling AS
  SELECT entity,
    (sum(severity * CASE WHEN age < 365 THEN 200 WHEN age < 730 THEN 100 ELSE 0 END) FILTER (severity >= 1 AND age < 730))::BIGINT // 100 AS sampling_load,
    nullif(count(*) FILTER (severity = 3 AND age < 1095), 0) AS sampling_serious_3y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 9 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE registration_change AS
  SELECT entity,
    nullif(count(*) FILTER (severity = 2 AND age < 1095), 0) AS capital_reduced_3y,
    nullif(count(*) FILTER (severity = 1 AND age < 365), 0) AS key_changes_1y,
    nullif(count(*) FILTER (code = 3 AND age < 730), 0) AS representative_changed_2y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 10 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE certification AS
  SELECT entity,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (severity = 0))::BIGINT AS certifications_in_force,
    nullif(count(*) FILTER (severity IN (1, 3) AND age < 730), 0) AS certifications_lost_2y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 11 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE standard_declared AS
  SELECT entity,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (severity = 1))::BIGINT AS standards_below
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 12 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE recall AS
  SELECT entity,
    nullif(count(*) FILTER (severity = 3 AND age < 1095), 0) AS recalls_ordered_3y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 13 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE award AS
  SELECT entity,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (severity >= 3 AND code <> 4))::BIGINT AS awards_high,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 4))::BIGINT AS trademarks_in_force
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 14 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE satisfaction_survey AS
  SELECT entity,
    arg_max(code, (day::BIGINT << 36) | seq) FILTER (severity >= 2 AND age < 730) AS satisfaction_last
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 15 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE outside_list AS
  SELECT entity,
    arg_max(severity, (day::BIGINT << 36) | seq) FILTER (code = 7 AND age < 730) AS environment_grade,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 16))::BIGINT AS good_lists,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code IN (1, 2)))::BIGINT AS judgment_lists,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code IN (11, 12, 15)))::BIGINT AS lists_worst,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 4))::BIGINT AS tax_arrears,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code = 5))::BIGINT AS tax_serious,
    (sum(CASE WHEN (ends IS NULL OR ends > 20778) THEN 1 ELSE 0 END) FILTER (code IN (10, 14)))::BIGINT AS wage_lists
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 16 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE accident AS
  SELECT entity,
    (sum(severity * CASE WHEN age < 365 THEN 500 WHEN age < 730 THEN 400 WHEN age < 1095 THEN 300 WHEN age < 1460 THEN 200 WHEN age < 1825 THEN 100 ELSE 0 END) FILTER (severity >= 1 AND age < 1825))::BIGINT // 100 AS accident_load,
    nullif(count(*) FILTER (severity >= 3 AND age < 1825), 0) AS accidents_major_5y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 17 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE relation AS
  SELECT entity,
    nullif(count(*) FILTER (code = 4 AND age < 365), 0) AS branches_opened_1y
  FROM (SELECT *, 20778 - day AS age FROM fact WHERE kind = 18 AND day <= 20778)
  GROUP BY entity;

CREATE OR REPLACE TEMP TABLE grade AS WITH
indicator AS (
  SELECT population.entity, population.subject,
    coalesce(registration.age_step, feed.registration_ever) AS age_step,
    coalesce(registration.capital_fen, feed.registration_ever) AS capital_fen,
    coalesce(registration.capital_step, feed.registration_ever) AS capital_step,
    coalesce(registration.industry_equipment, feed.registration_ever) AS industry_equipment,
    coalesce(registration.industry_food, feed.registration_ever) AS industry_food,
    coalesce(registration.industry_prepaid, feed.registration_ever) AS industry_prepaid,
    coalesce(registration.industry_risk, feed.registration_ever) AS industry_risk,
    coalesce(registration.registration_state, feed.registration_ever) AS registration_state,
    coalesce(registration.term_expired, feed.registration_ever) AS term_expired,
    coalesce(penalty.largest_fine_3y, feed.penalty_1095d) AS largest_fine_3y,
    coalesce(penalty.penalties_1y, feed.penalty_365d) AS penalties_1y,
    coalesce(penalty.penalties_2y, feed.penalty_730d) AS penalties_2y,
    coalesce(penalty.penalties_3y, feed.penalty_1095d) AS penalties_3y,
    coalesce(penalty.penalties_heavier_3y, feed.penalty_1095d) AS penalties_heavier_3y,
    coalesce(penalty.penalties_serious_3y, feed.penalty_1095d) AS penalties_serious_3y,
    coalesce(penalty.penalty_general_age, feed.penalty_ever + 3) AS penalty_general_age,
    coalesce(penalty.penalty_load, feed.penalty_1095d) AS penalty_load,
    coalesce(penalty.penalty_minor_age, feed.penalty_ever + 3) AS penalty_minor_age,
    coalesce(abnormal_listing.abnormal_3y, feed.abnormal_listing_1095d) AS abnormal_3y,
    coalesce(abnormal_listing.abnormal_false_info, feed.abnormal_listing_ever) AS abnormal_false_info,
    coalesce(abnormal_listing.abnormal_no_report, feed.abnormal_listing_ever) AS abnormal_no_report,
    coalesce(abnormal_listing.abnormal_open, feed.abnormal_listing_ever) AS abnormal_open,
    coalesce(abnormal_listing.abnormal_open_age, feed.abnormal_listing_ever) AS abnormal_open_age,
    coalesce(abnormal_listing.abnormal_other_info, feed.abnormal_listing_ever) AS abnormal_other_info,
    coalesce(abnormal_listing.uncontactable_now, feed.abnormal_listing_ever) AS uncontactable_now,
    coalesce(serious_listing.serious_5y, feed.serious_listing_1825d) AS serious_5y,
    coalesce(serious_listing.serious_open, feed.serious_listing_ever) AS serious_open,
    coalesce(spot_check.check_last_severity, feed.spot_check_730d) AS check_last_severity,
    coalesce(spot_check.checks_clean_2y, feed.spot_check_730d) AS checks_clean_2y,
    coalesce(spot_check.checks_info_2y, feed.spot_check_730d) AS checks_info_2y,
    coalesce(spot_check.checks_pending_1y, feed.spot_check_365d) AS checks_pending_1y,
    coalesce(spot_check.checks_problem_2y, feed.spot_check_730d) AS checks_problem_2y,
    coalesce(spot_check.checks_refused_2y, feed.spot_check_730d) AS checks_refused_2y,
    coalesce(spot_check.checks_refused_serious_2y, feed.spot_check_730d) AS checks_refused_serious_2y,
    coalesce(spot_check.checks_serious_3y, feed.spot_check_1095d) AS checks_serious_3y,
    coalesce(spot_check.checks_uncontactable_2y, feed.spot_check_730d) AS checks_uncontactable_2y,
    coalesce(item_12315.complaint_load, feed.item_12315_730d) AS complaint_load,
    coalesce(item_12315.complaints_90d, feed.item_12315_90d) AS complaints_90d,
    coalesce(item_12315.complaints_refused_2y, feed.item_12315_730d) AS complaints_refused_2y,
    coalesce(item_12315.complaints_upheld_1y, feed.item_12315_365d) AS complaints_upheld_1y,
    coalesce(item_12315.disputes_1y_yuan, feed.item_12315_365d) AS disputes_1y_yuan,
    coalesce(item_12315.reports_open_1y, feed.item_12315_365d) AS reports_open_1y,
    coalesce(item_12315.reports_upheld_1y, feed.item_12315_365d) AS reports_upheld_1y,
    coalesce(item_12315.reports_upheld_2y, feed.item_12315_730d) AS reports_upheld_2y,
    coalesce(annual_report.annual_false_3y, feed.annual_report_1095d) AS annual_false_3y,
    coalesce(annual_report.annual_late_1y, feed.annual_report_365d) AS annual_late_1y,
    coalesce(annual_report.annual_late_3y, feed.annual_report_1095d) AS annual_late_3y,
    CASE WHEN registration.established IS NOT NULL AND (coalesce(annual_report.reported, 0) & 1 > 0 OR (feed.annual_report_due & 1) > 0) THEN
      CASE WHEN feed.annual_report_due & 1 > 0 AND coalesce(annual_report.reported, 0) & 1 = 0 AND registration.established <= 2025 THEN 1 ELSE 0 END
    END AS annual_missing_1y,
    CASE WHEN registration.established IS NOT NULL AND (coalesce(annual_report.reported, 0) & 3 > 0 OR (feed.annual_report_due & CASE WHEN registration.established = 2025 THEN 1 ELSE 3 END) > 0) THEN
      CASE WHEN feed.annual_report_due & 1 > 0 AND coalesce(annual_report.reported, 0) & 1 = 0 AND registration.established <= 2025 THEN 1 ELSE 0 END
      + CASE WHEN feed.annual_report_due & 2 > 0 AND coalesce(annual_report.reported, 0) & 2 = 0 AND registration.established <= 2024 THEN 1 ELSE 0 END
    END AS annual_missing_2y,
    CASE WHEN registration.established IS NOT NULL AND (coalesce(annual_report.reported, 0) & 7 > 0 OR (feed.annual_report_due & CASE WHEN registration.established = 2025 THEN 1 WHEN registration.established = 2024 THEN 3 ELSE 7 END) > 0) THEN
      CASE WHEN feed.annual_report_due & 1 > 0 AND coalesce(annual_report.reported, 0) & 1 = 0 AND registration.established <= 2025 THEN 1 ELSE 0 END
      + CASE WHEN feed.annual_report_due & 2 > 0 AND coalesce(annual_report.reported, 0) & 2 = 0 AND registration.established <= 2024 THEN 1 ELSE 0 END
      + CASE WHEN feed.annual_report_due & 4 > 0 AND coalesce(annual_report.reported, 0) & 4 = 0 AND registration.established <= 2023 THEN 1 ELSE 0 END
    END AS annual_missing_3y,
    coalesce(annual_report.annual_on_time_3y, feed.annual_report_1095d) AS annual_on_time_3y,
    coalesce(licence.food_licence_expired, feed.licence_ever) AS food_licence_expired,
    coalesce(licence.licence_ends_soon, feed.licence_ever) AS licence_ends_soon,
    coalesce(licence.licence_expired, feed.licence_ever) AS licence_expired,
    coalesce(licence.licences_in_force, feed.licence_ever) AS licences_in_force,
    coalesce(licence.licences_suspended, feed.licence_ever) AS licences_suspended,
    coalesce(licence.licences_withdrawn_3y, feed.licence_1095d) AS licences_withdrawn_3y,
    coalesce(product_sampling.sampling_load, feed.product_sampling_730d) AS sampling_load,
    coalesce(product_sampling.sampling_serious_3y, feed.product_sampling_1095d) AS sampling_serious_3y,
    coalesce(registration_change.capital_reduced_3y, feed.registration_change_1095d) AS capital_reduced_3y,
    coalesce(registration_change.key_changes_1y, feed.registration_change_365d) AS key_changes_1y,
    coalesce(registration_change.representative_changed_2y, feed.registration_change_730d) AS representative_changed_2y,
    coalesce(certification.certifications_in_force, feed.certification_ever) AS certifications_in_force,
    coalesce(certification.certifications_lost_2y, feed.certification_730d) AS certifications_lost_2y,
    coalesce(standard_declared.standards_below, feed.standard_declared_ever) AS standards_below,
    coalesce(recall.recalls_ordered_3y, feed.recall_1095d) AS recalls_ordered_3y,
    coalesce(award.awards_high, feed.award_ever) AS awards_high,
    coalesce(award.trademarks_in_force, feed.award_ever) AS trademarks_in_force,
    coalesce(satisfaction_survey.satisfaction_last, feed.satisfaction_survey_730d) AS satisfaction_last,
    coalesce(outside_list.environment_grade, feed.outside_list_730d) AS environment_grade,
    coalesce(outside_list.good_lists, feed.outside_list_ever) AS good_lists,
    coalesce(outside_list.judgment_lists, feed.outside_list_ever) AS judgment_lists,
    coalesce(outside_list.lists_worst, feed.outside_list_ever) AS lists_worst,
    coalesce(outside_list.tax_arrears, feed.outside_list_ever) AS tax_arrears,
    coalesce(outside_list.tax_serious, feed.outside_list_ever) AS tax_serious,
    coalesce(outside_list.wage_lists, feed.outside_list_ever) AS wage_lists,
    coalesce(accident.accident_load, feed.accident_1825d) AS accident_load,
    coalesce(accident.accidents_major_5y, feed.accident_1825d) AS accidents_major_5y,
    coalesce(relation.branches_opened_1y, feed.relation_365d) AS branches_opened_1y,
    100000 * coalesce(item_12315.complaints_upheld_1y, feed.item_12315_365d) // norm.complaints_to_norm AS complaints_to_norm,
    100000 * coalesce(penalty.penalties_1y, feed.penalty_365d) // norm.penalties_to_norm AS penalties_to_norm,
    coalesce(held.related_abnormal, feed.relation_ever) + answer.related_abnormal AS related_abnormal,
    coalesce(held.related_penalised, feed.relation_ever) + answer.related_penalised AS related_penalised,
    coalesce(held.related_revoked, feed.relation_ever) + answer.related_revoked AS related_revoked,
    coalesce(held.related_serious, feed.relation_ever) + answer.related_serious AS related_serious,
    coalesce(held.related_worst, feed.relation_ever) + answer.related_worst AS related_worst,
    coalesce(held.representative_others, feed.relation_ever) + answer.representative_others AS representative_others,
    coalesce(held.representative_revoked, feed.relation_ever) + answer.representative_revoked AS representative_revoked,
    coalesce(held.same_address, feed.registration_ever, CASE WHEN registration.entity IS NOT NULL THEN 0 END) + answer.same_address AS same_address
  FROM population
  JOIN feed ON feed.division = population.division
  LEFT JOIN registration USING (entity)
  LEFT JOIN penalty USING (entity)
  LEFT JOIN abnormal_listing USING (entity)
  LEFT JOIN serious_listing USING (entity)
  LEFT JOIN spot_check USING (entity)
  LEFT JOIN item_12315 USING (entity)
  LEFT JOIN annual_report USING (entity)
  LEFT JOIN licence USING (entity)
  LEFT JOIN product_sampling USING (entity)
  LEFT JOIN registration_change USING (entity)
  LEFT JOIN certification USING (entity)
  LEFT JOIN standard_declared USING (entity)
  LEFT JOIN recall USING (entity)
  LEFT JOIN award USING (entity)
  LEFT JOIN satisfaction_survey USING (entity)
  LEFT JOIN outside_list USING (entity)
  LEFT JOIN accident USING (entity)
  LEFT JOIN relation USING (entity)
  CROSS JOIN answer
  LEFT JOIN held USING (entity)
  LEFT JOIN norm ON norm.code = registration.code
  WHERE population.subject IN ('enterprise', 'branch', 'individual', 'cooperative')
),
-- Points of each rule; for vetoes and caps whether they strike.
point AS (
  SELECT entity,
    CASE WHEN subject IN ('enterprise', 'branch', 'cooperative') AND (abnormal_false_info >= 1) THEN (CASE WHEN subject = 'cooperative' THEN 380 ELSE 450 END) ELSE 0 END AS abnormal_false_info_listed,
    CASE WHEN abnormal_open_age >= 1 THEN (CASE WHEN subject = 'individual' THEN 20 ELSE 30 END) * abnormal_open_age ELSE 0 END AS abnormal_long,
    CASE WHEN subject IN ('enterprise', 'branch', 'cooperative') AND (abnormal_no_report >= 1) THEN (CASE WHEN subject = 'cooperative' THEN 220 ELSE 290 END) ELSE 0 END AS abnormal_no_report_listed,
    CASE WHEN subject IN ('enterprise', 'branch') AND (abnormal_other_info >= 1) THEN 350 ELSE 0 END AS abnormal_other_info_listed,
    CASE WHEN abnormal_open = 0 AND abnormal_3y >= 1 THEN (CASE WHEN subject = 'individual' THEN 60 ELSE 120 END) ELSE 0 END AS abnormal_past,
    CASE WHEN abnormal_open >= 2 THEN (CASE WHEN subject = 'individual' THEN 80 ELSE 120 END) ELSE 0 END AS abnormal_several,
    CASE WHEN subject IN ('enterprise', 'branch', 'cooperative') AND (uncontactable_now >= 1) THEN (CASE WHEN subject = 'cooperative' THEN 360 ELSE 440 END) ELSE 0 END AS abnormal_uncontactable,
    accidents_major_5y >= 1 AS accident_major,
    CASE WHEN accident_load >= 1 THEN least(25 * accident_load, 500) ELSE 0 END AS accident_responsible,
    CASE WHEN subject IN ('enterprise', 'branch') AND (same_address >= 10) THEN 30 ELSE 0 END AS address_crowded,
    CASE WHEN age_step >= 1 AND age_step < 3 THEN (CASE WHEN subject IN ('individual', 'cooperative') THEN 60 ELSE 80 END) ELSE 0 END AS age_early_years,
    CASE WHEN age_step < 1 THEN (CASE WHEN subject IN ('individual', 'cooperative') THEN 60 ELSE 80 END) ELSE 0 END AS age_first_year,
    CASE WHEN age_step >= 4 THEN -30 ELSE 0 END AS age_long,
    CASE WHEN annual_missing_3y > annual_missing_1y THEN (80 * annual_missing_3y - 80 * annual_missing_1y) ELSE 0 END AS annual_earlier_missing,
    CASE WHEN annual_false_3y >= 1 THEN (CASE WHEN subject = 'individual' THEN 180 WHEN subject = 'cooperative' THEN 220 ELSE 320 END) * annual_false_3y ELSE 0 END AS annual_false,
    CASE WHEN annual_late_3y >= 1 THEN (CASE WHEN subject = 'individual' THEN 90 WHEN subject = 'cooperative' THEN 100 ELSE 190 END) * annual_late_3y ELSE 0 END AS annual_late_each,
    CASE WHEN annual_late_3y >= 2 THEN (CASE WHEN subject = 'individual' THEN 60 ELSE 80 END) ELSE 0 END AS annual_late_habit,
    CASE WHEN annual_late_1y >= 1 THEN (CASE WHEN subject = 'individual' THEN 30 WHEN subject = 'cooperative' THEN 40 ELSE 50 END) ELSE 0 END AS annual_late_latest,
    CASE WHEN annual_missing_1y >= 1 THEN (CASE WHEN subject IN ('individual', 'cooperative') THEN 120 ELSE 130 END) ELSE 0 END AS annual_latest_missing,
    CASE WHEN annual_on_time_3y >= 3 AND annual_missing_3y = 0 THEN -20 ELSE 0 END AS annual_on_time,
    CASE WHEN subject IN ('enterprise', 'branch') AND (annual_missing_2y >= 2 AND uncontactable_now >= 1) THEN 80 ELSE 0 END AS annual_silent_uncontactable,
    CASE WHEN annual_missing_2y >= 2 THEN (CASE WHEN subject = 'individual' THEN 40 ELSE 60 END) ELSE 0 END AS annual_two_missing,
    CASE WHEN subject IN ('enterprise', 'cooperative') AND (branches_opened_1y >= 10) THEN 20 ELSE 0 END AS branches_many,
    CASE WHEN subject IN ('enterprise') AND (capital_step >= 5 AND age_step < 2) THEN 120 ELSE 0 END AS capital_out_of_proportion,
    CASE WHEN subject IN ('enterprise', 'cooperative') AND (capital_reduced_3y >= 1) THEN (CASE WHEN subject = 'cooperative' THEN 20 ELSE 30 END) ELSE 0 END AS capital_reduced,
    CASE WHEN subject IN ('enterprise', 'cooperative') AND (capital_step = 1) THEN (CASE WHEN subject = 'cooperative' THEN 20 ELSE 40 END) ELSE 0 END AS capital_small,
    CASE WHEN subject IN ('enterprise') AND (capital_fen = 0) THEN 30 ELSE 0 END AS capital_unknown,
    CASE WHEN certifications_in_force >= 1 AND certifications_lost_2y = 0 THEN -20 ELSE 0 END AS certification_held,
    CASE WHEN certifications_lost_2y >= 1 THEN 60 ELSE 0 END AS certification_lost,
    CASE WHEN checks_clean_2y >= 1 AND check_last_severity = 0 THEN (CASE WHEN subject = 'individual' THEN -30 ELSE -40 END) ELSE 0 END AS check_clean,
    CASE WHEN industry_food = 1 AND checks_problem_2y >= 1 THEN 80 ELSE 0 END AS check_food_problem,
    CASE WHEN checks_info_2y >= 1 THEN (CASE WHEN subject = 'individual' THEN 120 ELSE 180 END) ELSE 0 END AS check_information,
    CASE WHEN checks_pending_1y >= 1 THEN 60 ELSE 0 END AS check_pending,
    CASE WHEN checks_problem_2y >= 1 THEN least((CASE WHEN subject = 'individual' THEN 160 ELSE 200 END) * checks_problem_2y, (CASE WHEN subject = 'individual' THEN 320 ELSE 400 END)) ELSE 0 END AS check_problem,
    CASE WHEN checks_refused_2y >= 1 THEN (CASE WHEN subject = 'individual' THEN 250 ELSE 300 END) ELSE 0 END AS check_refused,
    checks_refused_serious_2y >= 1 AS check_refused_serious,
    CASE WHEN checks_serious_3y >= 1 THEN (CASE WHEN subject = 'individual' THEN 160 ELSE 200 END) ELSE 0 END AS check_serious,
    CASE WHEN checks_uncontactable_2y >= 1 THEN (CASE WHEN subject = 'individual' THEN 150 ELSE 200 END) ELSE 0 END AS check_uncontactable,
    CASE WHEN complaints_to_norm >= 400 THEN 40 ELSE 0 END AS complaint_above_norm,
    CASE WHEN disputes_1y_yuan >= (CASE WHEN subject = 'individual' THEN 5000 ELSE 10000 END) THEN 50 ELSE 0 END AS complaint_amount,
    CASE WHEN complaints_90d >= 3 THEN 80 ELSE 0 END AS complaint_cluster,
    CASE WHEN industry_prepaid = 1 AND complaints_upheld_1y >= 1 THEN 60 ELSE 0 END AS complaint_prepaid_trade,
    CASE WHEN complaints_refused_2y >= 1 THEN least(80 * complaints_refused_2y, 160) ELSE 0 END AS complaint_refused,
    CASE WHEN complaints_upheld_1y >= 1 THEN least((CASE WHEN subject = 'individual' THEN 150 ELSE 180 END) * complaints_upheld_1y, (CASE WHEN subject = 'individual' THEN 450 ELSE 540 END)) ELSE 0 END AS complaint_upheld,
    CASE WHEN complaint_load >= 1 THEN least(30 * complaint_load, 240) ELSE 0 END AS complaint_weight,
    CASE WHEN industry_food = 1 AND food_licence_expired = 1 AND licences_in_force = 0 AND registration_state = 1 THEN (CASE WHEN subject = 'individual' THEN 60 ELSE 80 END) ELSE 0 END AS food_licence_ended,
    registration_state = 3 AS hold_cancelled,
    penalties_3y = 0 AND abnormal_open = 0 AND serious_5y = 0 AND checks_problem_2y = 0 AND checks_serious_3y = 0 AND checks_refused_2y = 0 AND (sampling_load = 0 OR sampling_load IS NULL) AND (accident_load = 0 OR accident_load IS NULL) AND (recalls_ordered_3y = 0 OR recalls_ordered_3y IS NULL) AS hold_without_finding,
    CASE WHEN awards_high >= 1 OR trademarks_in_force >= 1 OR good_lists >= 1 THEN -30 ELSE 0 END AS honours_held,
    CASE WHEN industry_risk >= 1 THEN (CASE WHEN subject = 'individual' THEN 60 ELSE 95 END) * industry_risk ELSE 0 END AS industry_risk,
    CASE WHEN judgment_lists >= 1 THEN 120 ELSE 0 END AS judgment_listed,
    CASE WHEN key_changes_1y >= 3 THEN 40 ELSE 0 END AS key_changes,
    CASE WHEN licence_ends_soon = 1 AND licence_expired = 0 THEN 10 ELSE 0 END AS licence_ending,
    registration_state = 2 AS licence_revoked,
    CASE WHEN licence_expired = 1 AND licences_in_force = 0 AND registration_state = 1 THEN (CASE WHEN subject = 'individual' THEN 30 ELSE 40 END) ELSE 0 END AS licence_run_out,
    CASE WHEN licences_suspended >= 1 OR licences_withdrawn_3y >= 1 THEN (CASE WHEN subject = 'individual' THEN 100 ELSE 120 END) ELSE 0 END AS licence_stopped,
    CASE WHEN subject IN ('individual') AND (abnormal_false_info >= 1) THEN 300 ELSE 0 END AS marked_false_info,
    CASE WHEN subject IN ('individual') AND (abnormal_no_report >= 1) THEN 120 ELSE 0 END AS marked_no_report,
    CASE WHEN subject IN ('individual') AND (uncontactable_now >= 1) THEN 300 ELSE 0 END AS marked_uncontactable,
    CASE WHEN lists_worst >= 1 OR environment_grade = 3 THEN 100 ELSE 0 END AS other_listed,
    CASE WHEN penalties_to_norm >= 400 THEN 40 ELSE 0 END AS penalty_above_norm,
    CASE WHEN industry_equipment = 1 AND penalties_2y >= 1 THEN 80 ELSE 0 END AS penalty_equipment_trade,
    CASE WHEN largest_fine_3y >= (CASE WHEN subject = 'individual' THEN 1000000 ELSE 10000000 END) THEN 80 ELSE 0 END AS penalty_fine_large,
    CASE WHEN penalty_general_age < 2 THEN (CASE WHEN subject = 'individual' THEN 60 ELSE 80 END) ELSE 0 END AS penalty_general_public,
    CASE WHEN penalties_heavier_3y >= 1 THEN (CASE WHEN subject = 'individual' THEN 120 ELSE 150 END) ELSE 0 END AS penalty_heavier_kind,
    CASE WHEN penalty_minor_age < 1 THEN 50 ELSE 0 END AS penalty_minor_recent,
    CASE WHEN penalties_2y >= 2 THEN 120 ELSE 0 END AS penalty_repeat,
    CASE WHEN penalties_serious_3y >= 1 THEN (CASE WHEN subject = 'individual' THEN 160 ELSE 200 END) * penalties_serious_3y ELSE 0 END AS penalty_serious,
    uncontactable_now >= 1 AND penalties_1y >= 1 AS penalty_uncontactable,
    CASE WHEN penalty_load >= 1 THEN (CASE WHEN subject IN ('individual', 'cooperative') THEN 130 ELSE 150 END) * penalty_load ELSE 0 END AS penalty_weight,
    CASE WHEN recalls_ordered_3y >= 1 THEN 150 ELSE 0 END AS recall_ordered,
    CASE WHEN related_serious >= 1 OR related_revoked >= 1 OR related_worst >= 1 THEN 80 ELSE 0 END AS related_grave,
    CASE WHEN related_abnormal >= 1 OR related_penalised >= 1 THEN 30 ELSE 0 END AS related_troubled,
    CASE WHEN reports_open_1y >= 1 THEN 30 ELSE 0 END AS report_open,
    CASE WHEN reports_upheld_2y >= 1 THEN least((CASE WHEN subject = 'individual' THEN 100 ELSE 120 END) * reports_upheld_2y, (CASE WHEN subject = 'individual' THEN 200 ELSE 240 END)) ELSE 0 END AS report_upheld,
    CASE WHEN reports_upheld_1y >= 1 THEN (CASE WHEN subject = 'individual' THEN 120 ELSE 150 END) ELSE 0 END AS report_upheld_latest,
    CASE WHEN representative_changed_2y >= 2 THEN 40 ELSE 0 END AS representative_changed,
    CASE WHEN representative_others >= 10 THEN 30 ELSE 0 END AS representative_many,
    CASE WHEN representative_revoked >= 1 THEN 60 ELSE 0 END AS representative_revoked_elsewhere,
    CASE WHEN sampling_load >= 1 THEN least((CASE WHEN subject = 'individual' THEN 25 ELSE 30 END) * sampling_load, (CASE WHEN subject = 'individual' THEN 250 ELSE 300 END)) ELSE 0 END AS sampling_failed,
    CASE WHEN sampling_serious_3y >= 1 THEN least(100 * sampling_serious_3y, 200) ELSE 0 END AS sampling_serious,
    CASE WHEN satisfaction_last >= 1 AND satisfaction_last < 6000 THEN 30 ELSE 0 END AS satisfaction_low,
    serious_open >= 1 AS serious_listed,
    CASE WHEN serious_open = 0 AND serious_5y >= 1 THEN (CASE WHEN subject = 'individual' THEN 250 ELSE 300 END) ELSE 0 END AS serious_past,
    CASE WHEN standards_below >= 1 THEN 60 ELSE 0 END AS standard_below,
    CASE WHEN registration_state = 4 THEN 80 ELSE 0 END AS state_other,
    CASE WHEN tax_serious >= 1 THEN 180 ELSE 0 END AS tax_listed,
    CASE WHEN tax_arrears >= 1 THEN 50 ELSE 0 END AS tax_owed,
    CASE WHEN term_expired = 1 AND registration_state = 1 THEN (CASE WHEN subject = 'individual' THEN 30 WHEN subject = 'cooperative' THEN 40 ELSE 60 END) ELSE 0 END AS term_run_out,
    CASE WHEN wage_lists >= 1 THEN 120 ELSE 0 END AS wage_listed
  FROM indicator
),
-- First-level groups, each with its most.
grouped AS (
  SELECT entity, accident_major, check_refused_serious, hold_cancelled, hold_without_finding, licence_revoked, penalty_uncontactable, serious_listed,
    least(coalesce(address_crowded, 0) + coalesce(age_early_years, 0) + coalesce(age_first_year, 0) + coalesce(age_long, 0) + coalesce(capital_out_of_proportion, 0) + coalesce(capital_small, 0) + coalesce(capital_unknown, 0) + coalesce(industry_risk, 0) + coalesce(representative_changed, 0) + coalesce(state_other, 0) + coalesce(term_run_out, 0), 400) AS basic,
    least(coalesce(annual_earlier_missing, 0) + coalesce(annual_false, 0) + coalesce(annual_late_each, 0) + coalesce(annual_late_habit, 0) + coalesce(annual_late_latest, 0) + coalesce(annual_latest_missing, 0) + coalesce(annual_on_time, 0) + coalesce(annual_silent_uncontactable, 0) + coalesce(annual_two_missing, 0) + coalesce(capital_reduced, 0) + coalesce(certification_held, 0) + coalesce(certification_lost, 0) + coalesce(food_licence_ended, 0) + coalesce(key_changes, 0) + coalesce(licence_ending, 0) + coalesce(licence_run_out, 0) + coalesce(licence_stopped, 0) + coalesce(wage_listed, 0), 440) AS dynamics,
    least(coalesce(abnormal_false_info_listed, 0) + coalesce(abnormal_long, 0) + coalesce(abnormal_no_report_listed, 0) + coalesce(abnormal_other_info_listed, 0) + coalesce(abnormal_past, 0) + coalesce(abnormal_several, 0) + coalesce(abnormal_uncontactable, 0) + coalesce(accident_responsible, 0) + coalesce(check_clean, 0) + coalesce(check_food_problem, 0) + coalesce(check_information, 0) + coalesce(check_pending, 0) + coalesce(check_problem, 0) + coalesce(check_refused, 0) + coalesce(check_serious, 0) + coalesce(check_uncontactable, 0) + coalesce(judgment_listed, 0) + coalesce(marked_false_info, 0) + coalesce(marked_no_report, 0) + coalesce(marked_uncontactable, 0) + coalesce(other_listed, 0) + coalesce(penalty_above_norm, 0) + coalesce(penalty_equipment_trade, 0) + coalesce(penalty_fine_large, 0) + coalesce(penalty_general_public, 0) + coalesce(penalty_heavier_kind, 0) + coalesce(penalty_minor_recent, 0) + coalesce(penalty_repeat, 0) + coalesce(penalty_serious, 0) + coalesce(penalty_weight, 0) + coalesce(recall_ordered, 0) + coalesce(sampling_failed, 0) + coalesce(sampling_serious, 0) + coalesce(serious_past, 0) + coalesce(standard_below, 0) + coalesce(tax_listed, 0) + coalesce(tax_owed, 0), 800) AS supervision,
    least(coalesce(branches_many, 0) + coalesce(related_grave, 0) + coalesce(related_troubled, 0) + coalesce(representative_many, 0) + coalesce(representative_revoked_elsewhere, 0), 200) AS related,
    least(coalesce(complaint_above_norm, 0) + coalesce(complaint_amount, 0) + coalesce(complaint_cluster, 0) + coalesce(complaint_prepaid_trade, 0) + coalesce(complaint_refused, 0) + coalesce(complaint_upheld, 0) + coalesce(complaint_weight, 0) + coalesce(honours_held, 0) + coalesce(report_open, 0) + coalesce(report_upheld, 0) + coalesce(report_upheld_latest, 0) + coalesce(satisfaction_low, 0), 500) AS social
  FROM point
),
-- Clamp, then caps, then vetoes.
scored AS (
  SELECT entity,
    greatest(greatest(greatest(greatest(greatest(least(least(least(greatest(0 + basic + dynamics + supervision + related + social, 0), 1000), CASE WHEN hold_cancelled THEN 250 ELSE 1000 END), CASE WHEN hold_without_finding THEN 750 ELSE 1000 END), CASE WHEN accident_major THEN 751 ELSE 0 END), CASE WHEN check_refused_serious THEN 751 ELSE 0 END), CASE WHEN licence_revoked THEN 751 ELSE 0 END), CASE WHEN penalty_uncontactable THEN 751 ELSE 0 END), CASE WHEN serious_listed THEN 751 ELSE 0 END) AS score
  FROM grouped
)
SELECT entity, CASE WHEN score <= 250 THEN 'A' WHEN score <= 500 THEN 'B' WHEN score <= 750 THEN 'C' WHEN score <= 1000 THEN 'D' END AS class, score::INTEGER AS score
FROM scored
