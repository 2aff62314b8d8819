"""Reading files of orders: CSV, JSON lines and Parquet."""
