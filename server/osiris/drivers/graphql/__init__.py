"""Services that speak GraphQL."""
