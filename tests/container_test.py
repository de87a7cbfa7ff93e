"""All scripts in a place like a container: little is there, and little is allowed."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT

# A user without a name, an entry in a list of users, or a home.
USER = 12345
MEMORY = 2 * 2**30
# Everything is read-only but the folder $1, what the system itself keeps in memory, and nothing is
# seen of the changes outside. $2 is the file of the control group that takes processes, or nothing.
ENTER = f"""
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
grep -v -e ' /proc' -e ' /dev' -e ' /sys' /proc/self/mounts | cut -d' ' -f2 | while read -r place
do
    [ "$place" = "$1" ] || mount -o remount,bind,ro "$place"
done
[ -z "$2" ] || echo $$ > "$2"
cd "$3"
shift 3
exec setpriv --reuid={USER} --regid={USER} --clear-groups "$@"
"""
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "PYTHONPATH": str(ROOT),
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
}
SMALL = "--size=64 --steps=2 --style_layers=block1_conv1 --content_layers=block1_conv2"
PAIR = "--content={folder}/photos/photo.jpg --style={folder}/paintings/painting.jpg"
# Arguments, and what is written.
COMMANDS = {
    "batch": (
        "--contents={folder}/photos --styles={folder}/paintings --output_dir={folder}/new/batch "
        + SMALL,
        ["photo__painting.png", "sheet.jpg", "index.html"],
    ),
    "compare": (
        f"{PAIR} --output_dir={{folder}}/new/compare {SMALL}",
        ["comparison.png", "report.html", "comparison.json"],
    ),
    "export": (
        "--model=fast --output_dir={folder}/new/export/1",
        ["1/saved_model.pb", "1/assets.extra/manifest.json"],
    ),
    "fast": (f"{PAIR} --output={{folder}}/new/fast/painted.png", ["painted.png"]),
    "stylize": (
        f"{PAIR} --output={{folder}}/new/stylize/painted.png {SMALL} "
        "--animation={folder}/new/stylize/film.gif --checkpoint={folder}/new/stylize/checkpoint",
        ["painted.png", "painted.png.json", "film.gif"],
    ),
}


def group_file():
    """The file that takes processes into a new control group of 2 GiB; None where none can be made.

    Only of version 1: a group of version 2 that has processes cannot have groups below.
    """
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    paths = [path for _, controllers, path in lines if controllers == "memory"]
    if not paths:
        return None
    group = Path(f"/sys/fs/cgroup/memory{paths[0]}", f"nst_tf_test_{os.getpid()}")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(MEMORY))
    except OSError:
        return None
    return group / "cgroup.procs"


@pytest.mark.slow
class ContainerTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        for path, name in ((PHOTOGRAPH, "photos/photo.jpg"), (PAINTING, "paintings/painting.jpg")):
            (cls.folder / name).parent.mkdir()
            with Image.open(path) as picture:
                # Of a smaller painting, `fast` says that it is enlarged.
                picture.resize((256, 256)).save(cls.folder / name)
        (cls.folder / "new").mkdir()
        os.chown(cls.folder / "new", USER, USER)
        cls.group = group_file()
        if cls.group:
            cls.addClassCleanup(os.rmdir, cls.group.parent)
        try:
            cls.enter("/", "true").check_returncode()
            cls.enter("/", sys.executable, "-c", "import nst_tf").check_returncode()
        except (OSError, subprocess.CalledProcessError) as error:
            raise cls.skipTest(cls, f"needs root, unshare and setpriv ({error})") from error

    @classmethod
    def enter(cls, place, *command, **environment):
        """Run a command there, in the folder `place`; it has no terminal."""
        return subprocess.run(
            [
                "unshare",
                "--mount",
                "sh",
                "-c",
                ENTER,
                "sh",
                cls.folder / "new",
                cls.group or "",
                place,
            ]
            + [*command],
            env=ENVIRONMENT | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )

    def test_the_place_is_what_it_should_be(self):
        self.assertNotEqual(self.enter("/", "touch", "/tmp/file").returncode, 0)
        self.assertNotEqual(self.enter("/", "touch", self.folder / "file").returncode, 0)
        self.assertEqual(self.enter("/", "touch", self.folder / "new" / "file").returncode, 0)
        code = (
            "import os, sys; from nst_tf import limits\n"
            "print(os.getuid(), sys.stdout.encoding, limits.free_memory() < 2**31)"
        )
        found = self.enter(ROOT, sys.executable, "-c", code)
        limited = str(self.group is not None)
        self.assertEqual(found.stdout.decode().split(), [str(USER), "ascii", limited], found.stderr)

    def run_script(self, script, place="/", **environment):
        path, arguments = ROOT / "scripts" / f"{script}.py", COMMANDS[script][0]
        arguments = [each.format(folder=self.folder) for each in arguments.split()]
        return self.enter(place, sys.executable, path, *arguments, **environment)

    @parameterized.parameters(*COMMANDS)
    def test_script(self, script):
        found = self.run_script(script, TMPDIR=str(self.folder / "new"))
        self.assertEqual((found.returncode, found.stderr), (0, b""), found.stdout)
        for output in COMMANDS[script][1]:
            self.assertTrue((self.folder / "new" / script / output).is_file(), output)

    def test_temporary_files_go_to_the_working_folder_if_that_can_be_written(self):
        found = self.run_script("fast", self.folder / "new")
        self.assertEqual((found.returncode, found.stderr), (0, b""), found.stdout)

    def test_no_place_for_temporary_files(self):
        found = self.run_script("fast")
        self.assertEqual((found.returncode, found.stdout), (1, b""))
        self.assertRegex(found.stderr, b"^fast: TMPDIR=: no folder for temporary files .*\n$")


if __name__ == "__main__":
    absltest.main()
