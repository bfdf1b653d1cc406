"""What must hold for any input, and the programs that look for inputs for which it does not."""
