"""SQL inside OML: the gates that user SQL passes before it runs."""
