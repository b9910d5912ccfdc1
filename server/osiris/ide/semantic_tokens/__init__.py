"""What the words of a pipeline and of its SQL are, for editors that colour by meaning."""
