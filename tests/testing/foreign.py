"""Runs commands of saved_model_cli where nst_tf cannot be imported.

python foreign.py COMMANDS.json
"""

import json
import sys
from pathlib import Path

sys.modules["nst_tf"] = None

from absl.testing import flagsaver  # noqa: E402
from tensorflow.python.tools import saved_model_cli  # noqa: E402

if __name__ == "__main__":
    for arguments in json.loads(Path(sys.argv[1]).read_text()):
        sys.argv = ["saved_model_cli", *arguments]
        with flagsaver.flagsaver():
            try:
                saved_model_cli.main()
            except SystemExit as end:
                if end.code:
                    raise
