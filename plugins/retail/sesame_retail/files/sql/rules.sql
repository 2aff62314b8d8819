-- What a text means: the rules of sesame_sdk.records, and spellings of numbers and times.
-- t is a trimmed text, x an id that was cleaned.

CREATE OR REPLACE MACRO trimmed(r) AS trim(r, $blanks);

CREATE OR REPLACE MACRO cleaned(t) AS (
    CASE WHEN lower(t) IN ($missing) THEN NULL
         WHEN regexp_full_match(t, $whole_with_fraction) THEN split_part(t, '.', 1)
         ELSE t END);

CREATE OR REPLACE MACRO is_altered(t, x) AS (
    length(x) > $max_id_length
    OR NOT regexp_full_match(x, '(?:[^\p{C}\p{Z}\x{FFFD}]| )*')
    OR regexp_full_match(x, $altered)
    OR t <> x AND coalesce(TRY_CAST(x AS HUGEINT), $max_exact_double) >= $max_exact_double);

-- Only the sign of the file's own currency is taken off: another one would count in the wrong currency.
CREATE OR REPLACE MACRO bare_number(t) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    translate(t, '−’', '-'''),
    '^\((.*)\)$$', '-\1'), '^(.*[0-9])-$$', '-\1'), '^(?:$sign)[\s\p{Z}]*', ''),
    '^([+-]?)[\s\p{Z}]*(?:$sign)[\s\p{Z}]*|[\s\p{Z}]*(?:$sign)$$', '\1');

CREATE OR REPLACE MACRO spelled_number(r) AS list_transform([bare_number(trimmed(r))], lambda n:
    CASE WHEN regexp_full_match(n, $spelled_number) THEN TRY_CAST(
        replace(regexp_replace(n, $thousands, '', 'g'), $point, '.') AS DECIMAL(18, 6)) END)[1];

CREATE OR REPLACE MACRO number_of(r) AS (
    CASE WHEN regexp_full_match(r, $plain_number) THEN CAST(replace(r, $point, '.') AS DECIMAL(18, 6))
         ELSE spelled_number(r) END);

CREATE OR REPLACE MACRO quantity_of(r) AS (
    CASE WHEN regexp_full_match(r, '-?[0-9]{1,9}') THEN CAST(r AS DECIMAL(18, 0))
         ELSE list_transform([number_of(r)], lambda n:
            CASE WHEN abs(n) < 1000000000 AND n = trunc(n) THEN CAST(n AS DECIMAL(18, 0)) END)[1] END);

CREATE OR REPLACE MACRO iso_time(t) AS (
    CASE WHEN regexp_full_match(t, '[0-9]{4}[-/].*')
         THEN epoch_us(TRY_CAST(regexp_replace(t, '[\s]+([+-][0-9]{2})', '\1') AS TIMESTAMPTZ)) END);
