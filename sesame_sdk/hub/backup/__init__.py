"""Backs up a hub into one file while it runs, and restores it.

archive               the file: a tar of the ledger, the settings, perhaps the key, and a manifest
ledger_copy           the interface to a database that is backed up
sqlite, postgresql    its implementations
backup, restore
withdrawal_log        withdrawals, erasures and key revocations, kept apart from the ledger
replay                applies them again to a restored hub
"""
