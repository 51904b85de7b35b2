"""What notebook 10 asks: free-text coverage, calibration, and the map back to what teaches each missed item.

language        words as the rules see them: spelling, small typos, clauses, negation
free_text       practice questions: a claim, a number of your own run, concepts seen or not, the model answer
sample_answers  answers written to try the rules, right and wrong, with the ideas that each one states
calibration     confidence against outcomes, with intervals; the Brier score
revisit         from missed items to notebooks and sections; many answers in one line
"""
