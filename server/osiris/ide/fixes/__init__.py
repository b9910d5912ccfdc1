"""What can be done about findings: mending them, one or all, suppressing them, switching them off."""
