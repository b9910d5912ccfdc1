"""The names in a query that is read whole, and what each can mean: for queries over data whose columns are known.

``queries`` reads a text strictly and gives up where it does not know every word; ``bind`` looks the names up.
"""
