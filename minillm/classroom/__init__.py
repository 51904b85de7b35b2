"""What the notebooks use beside the pipeline: settings, recorded runs, predictions, exercises, quiz, figures, games.

    machine      speed, device and cores of this session; how fast the machine is
    runs         a live run and its recording through one loop
    predictions  a guess before the run, beside the outcome after it
    exercises    check, hint, solution
    quiz         questions with every option explained; misconceptions: common beliefs
    figures      one style, alternative text and a table for each figure
    games        guess the next token; samples: a run's writing, moment by moment
    evidence     claims with their bands over seeds

    lessons/     the material of each notebook: exercises, quiz items, claims
    first_reading/ data/ tokens/ attention/ loop/ loss/ scaling/ cost/ limits/ practice/ tuning/
                 what each notebook tries: its experiments, what they draw, what is played
    notebooks    check, sync, execute, normalise; replays: record the runs

Nothing above imports this room. Forms need ipywidgets (the extra `lab`); every form has a plain function beside it.
"""
