"""What notebook 08 tries: the bill drawn, priced by form, and press claims weighed."""
