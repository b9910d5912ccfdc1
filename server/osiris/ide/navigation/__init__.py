"""From a place to others: definitions and references, callers, links, symbols."""
