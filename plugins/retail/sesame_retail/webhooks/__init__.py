"""Orders by webhook: Shopify and WooCommerce."""
