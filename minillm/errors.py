"""Errors that a learner can cause: each says in one line what is wrong and in one line what to do."""


class MinillmError(Exception):
    """A named error with one line of cause and one line of remedy.

    The command line prints both and exits with code 2; a notebook shows them as the exception's text.
    """

    def __init__(self, cause: str, remedy: str):
        super().__init__(f"{cause}\n{remedy}")
        self.cause = cause
        self.remedy = remedy


class ConfigError(MinillmError):
    """A setting of a model or of a run that cannot work."""


class DataError(MinillmError):
    """A text source that is missing, unreadable, too small or not what it says it is."""


class TokenizerError(MinillmError):
    """A vocabulary, a text or an id that the tokenizer cannot take."""


class CheckpointError(MinillmError):
    """A checkpoint or a run directory that is damaged, foreign or in use."""


class TrainingError(MinillmError):
    """A run that cannot go on, such as one whose loss is no longer finite."""


class DeviceError(MinillmError):
    """A device or a precision that this machine does not have."""
