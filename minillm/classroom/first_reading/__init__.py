"""What notebooks 00 and 03 try: a first run looked into, fair questions to a model, the objective by counting."""
