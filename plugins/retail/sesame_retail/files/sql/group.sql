-- Lines with equal texts, counted and summed: fewer texts are left to be read.
CREATE TABLE grouped AS
SELECT $keys, count(*) AS lines, count(amount) AS readable, sum(amount) AS total,
    sum(amount) FILTER (amount > 0) AS positive, min(line) AS line
FROM ($lines)
GROUP BY $keys
