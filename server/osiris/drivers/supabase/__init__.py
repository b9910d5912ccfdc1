"""Supabase projects, by their PostgreSQL database or their REST interface."""
