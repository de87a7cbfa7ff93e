"""The one exception that means: the user can put this right; and errors as one line."""


class InputError(ValueError):
    """A mistake in what the user gave, as one line.

    The message names the file or the setting, its value, what was expected and what to do.
    Scripts print it and end; any other exception is a fault of ours and keeps its traceback.
    """


def one_line(error: BaseException, max_length: int = 300) -> str:
    """The message of an error as one line; of an operating system's error, its reason."""
    text = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    return (" ".join(str(text).split()) or type(error).__name__)[:max_length]
