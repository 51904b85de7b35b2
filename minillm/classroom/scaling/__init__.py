"""What notebook 07 tries: sizes at one budget, a sealed forecast, repetition."""
