import ast
from pathlib import Path

from absl.testing import absltest
from testing.pictures import ROOT

# From the ground up: a module imports from its own row and from those before it.
LAYERS = (
    (
        "atomic_files",
        "digests",
        "errors",
        "file_lock",
        "limits",
        "printable",
        "settings",
        "tensorflow_startup",
        "validation",
    ),
    ("images",),
    ("networks",),
    ("losses",),
    ("optimizers",),
    ("run", "style"),
    ("callbacks",),
    ("coarse_to_fine", "feed_forward"),
    ("export",),
    ("video",),
    ("batch", "reports"),
    ("app",),
    ("cli",),
)
# What the parts of the first row know of each other.
GROUND = {
    "errors": set(),
    "printable": set(),
    "atomic_files": {"digests", "errors"},
    "digests": set(),
    "file_lock": {"errors"},
    "limits": set(),
    "tensorflow_startup": {"errors", "limits"},
    "validation": {"errors"},
    "settings": {"errors", "validation"},
}


def imported(path: Path) -> set[str]:
    """The rooms that a module imports from, also within functions and for types."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "nst_tf":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nst_tf."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {name.split(".")[1] for name in names(node) if name.startswith("nst_tf.")}
    return found


def names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]


class LayeringTest(absltest.TestCase):
    def test_imports_go_downward(self):
        level = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
        for path in (ROOT / "nst_tf").rglob("*.py"):
            inside = path.relative_to(ROOT / "nst_tf")
            room = inside.parts[0].removesuffix(".py")
            if room in ("__init__", "__main__"):
                continue
            for other in imported(path) & {*level}:
                self.assertLessEqual(level[other], level[room], f"{inside} imports {other}")
            if room in GROUND:
                self.assertContainsSubset(imported(path), GROUND[room], str(inside))

    def test_every_room_has_its_place(self):
        rooms = {each.stem for each in (ROOT / "nst_tf").iterdir() if not each.name.startswith("_")}
        self.assertEqual(rooms - {"py"}, {room for rooms in LAYERS for room in rooms})

    def test_neither_flags_nor_scripts_reach_below_the_command_line(self):
        for path in (ROOT / "nst_tf").rglob("*.py"):
            if "cli" not in path.parts:
                self.assertNotIn("from absl", path.read_text(), str(path))


if __name__ == "__main__":
    absltest.main()
