"""Beliefs that many people hold about pretraining, what is so instead, and the notebook that shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Misconception:
    """A common belief, what is so instead, and the notebook in which a number decides."""

    belief: str
    instead: str
    notebook: str

    def __repr__(self) -> str:
        return f"Many people think: {self.belief} Instead: {self.instead} (notebook {self.notebook})"


MISCONCEPTIONS = {
    "stores_text": Misconception(
        "The model stores the text it has read.",
        "Its weights are far fewer than the bytes of its text; what recurs often can be recited, most cannot.",
        "09",
    ),
    "labels": Misconception(
        "Somebody labels the data.",
        "The text labels itself: each next token is the answer to those before.",
        "03",
    ),
    "one_right_word": Misconception(
        "There is one correct next word.",
        "The target is a distribution: good models copy the shares of the text.",
        "03",
    ),
    "loss_zero": Misconception(
        "The loss should reach 0.",
        "Text is uncertain in itself; the loss comes down to that entropy and stays.",
        "06",
    ),
    "initial_loss": Misconception(
        "The loss at the start is arbitrary.",
        "An untrained model spreads its bets: ln V nats for V tokens.",
        "03",
    ),
    "perplexity": Misconception(
        "Perplexities compare across tokenizers.",
        "A token is another amount of text in each: compare bits a byte.",
        "02",
    ),
    "accuracy": Misconception(
        "The model is trained to be right most often.",
        "It is trained on the probability it gave to what came.",
        "03",
    ),
    "training_loss": Misconception(
        "A lower training loss is a better model.", "Only text it has not seen tells what it learned.", "06"
    ),
    "smooth": Misconception(
        "Learning is smooth.", "A loss can lie flat for long and then fall within a few steps.", "04"
    ),
    "equal_tokens": Misconception(
        "Every token counts the same.", "The dearest third of the tokens pays more than half of the loss.", "06"
    ),
    "bigger": Misconception(
        "A bigger model is always better.",
        "At a fixed budget a model can be too large for the text it gets to read.",
        "07",
    ),
    "more_data": Misconception(
        "More data of any kind is better.",
        "What a model reads decides where it is good, and elsewhere it may lose.",
        "01",
    ),
    "duplicates": Misconception(
        "Duplicates are harmless.",
        "Repeats are learned by heart, and they leak into the held-out text.",
        "01",
    ),
    "faster": Misconception(
        "A larger learning rate or batch is simply faster.",
        "Past a point the run diverges, or the larger batch brings nothing.",
        "05",
    ),
    "chatbot": Misconception(
        "A pretrained model is a chatbot.",
        "It continues documents; a question may be continued by more questions.",
        "09",
    ),
    "keeps_learning": Misconception(
        "It keeps learning while we talk.", "A chat changes no weight: their hash stays the same.", "09"
    ),
    "symmetric": Misconception(
        "Who knows that A is B knows that B is A.",
        "Each direction is learned from text in that direction.",
        "09",
    ),
    "hallucination": Misconception(
        "Inventing facts is a bug.", "Continuing plausibly is the objective; truth is no part of it.", "09"
    ),
    "sudden": Misconception(
        "Abilities appear suddenly.",
        "Often the score has a threshold while the probability rises smoothly.",
        "04",
    ),
    "final_run": Misconception(
        "The final run is the whole cost.", "Experiments, failed runs, data and people come on top.", "08"
    ),
    "gpu_hours": Misconception(
        "GPU-hours follow from the parameters.",
        "They follow from parameters times tokens, and how well the chips are used.",
        "08",
    ),
    "two_bytes": Misconception(
        "Training memory is 2 bytes a parameter.",
        "Gradients, optimizer state and activations take several times that.",
        "08",
    ),
    "six_n": Misconception(
        "6 N counts every operation.",
        "It leaves out attention over the context, and counts embeddings that multiply nothing.",
        "08",
    ),
    "temperature_zero": Misconception(
        "Temperature 0 gives the likeliest text.",
        "It takes the likeliest token each time, which is not the likeliest text.",
        "04",
    ),
}
