"""What a component does at run time, one folder per family."""
