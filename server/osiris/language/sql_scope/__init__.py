"""What a query is made of, as far as it can be read: its statements, SELECTs, tables, aliases and named queries.

Everything here reads half-written SQL: no token is ever refused, and what cannot be understood is left out.
"""
