"""A hub in one file, made while it runs, and back again.

    archive      the file: a tar of the ledger, the settings, perhaps the key, and what they must be
    ledgers      the two products a ledger may be in, as they are copied out and in
    sqlite_ledger, postgresql_ledger
    backup, restore

What people took back since a backup was made, `hub.journal` knows, and no backup may bring it back.
"""
