"""The one exception that means: the user can put this right."""


class InputError(ValueError):
    """A mistake in what the user gave, told in one line.

    The message names the file or the setting, its value, what was expected and what to do.
    Scripts print it and end; any other exception is a fault of ours and keeps its traceback.
    """
