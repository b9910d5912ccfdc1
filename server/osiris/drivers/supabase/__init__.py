"""Supabase projects, by their PostgreSQL database."""
