"""PostHog, over its query interface."""
