-- One row a line, with the columns as they are and the amount.
SELECT *, $amount AS amount FROM (SELECT $columns, line FROM $source)
