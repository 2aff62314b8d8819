"""People's rights: to dispute a signal, to see all their data, and to be erased.

deadlines                  statutory days, in business days where the law says so (pure)
dispute_model              a dispute and its next steps (pure)
tables
dispute_store              disputes in the database, and the SQL condition that excludes their signals
notices                    notices to partners, until delivered
personal_data_map          which rows hold a person's data
redaction                  a person's disclosures in the ledger: found, and dropped
erasure                    erases a person
vacuum                     removes deleted data from the database files
export_schema, export      all data of a person as JSON
service                    the facade, `Hub.rights`
"""
