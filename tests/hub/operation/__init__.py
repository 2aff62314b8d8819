"""What operators trust a hub with: its log, its figures, its settings, its stop, its backups."""
