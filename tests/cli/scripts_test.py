"""Runs every script as a user does: in a process of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from absl.testing import absltest, parameterized
from PIL import Image
from testing.pictures import PAINTING, PHOTOGRAPH, ROOT

from nst_tf import Settings
from nst_tf.images import image_io

SCRIPTS = {path.stem for path in (ROOT / "scripts").glob("*.py")}
# Each script has a test class below; this list makes a new one fail until it has.
TESTED = {"batch", "compare", "export", "fast", "stylize"}
MODEL = ROOT / "saved_models" / "arbitrary_stylization"
# Those that take every setting as a flag.
WITH_SETTINGS = {"batch", "compare", "export", "stylize"}


def run(script, *arguments, cwd=ROOT, environment=None):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / f"{script}.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | (environment or {}),
    )


class CoverageTest(absltest.TestCase):
    def test_every_script_is_tested(self):
        self.assertEqual(SCRIPTS, TESTED)


@pytest.mark.slow
class HelpTest(parameterized.TestCase):
    @parameterized.parameters(*((script,) for script in sorted(TESTED)))
    def test_help_ends_well_and_soon_and_lists_the_settings(self, script):
        started = time.monotonic()
        found = run(script, "--help")
        # Under a second on a quiet machine; importing TensorFlow takes several.
        self.assertLess(time.monotonic() - started, 3)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        for knob in fields(Settings) if script in WITH_SETTINGS else ():
            self.assertRegex(found.stdout, rf"--(\[no\])?{knob.name}:")


class ScriptTest(parameterized.TestCase):
    script: str

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)
        self.output = self.folder / "new" / "painted.png"
        self.before = {}

    def files(self):
        return {path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}

    def run_script(self, *arguments):
        self.before = self.files()
        return run(self.script, *arguments)

    def refused(self, found, *words):
        """One line on stderr with these words, a status, and nothing written."""
        self.assertEqual(found.returncode, 1, found.stderr)
        self.assertLen(found.stderr.splitlines(), 1)
        for word in (f"{self.script}: ", *map(str, words)):
            self.assertIn(word, found.stderr)
        self.assertEqual(self.files(), self.before)


@pytest.mark.slow
class StylizeTest(ScriptTest):
    script = "stylize"

    def stylize(self, **changes):
        given = {
            "content": PHOTOGRAPH,
            "style": PAINTING,
            "output": self.output,
            "size": 64,
            "steps": 3,
        }
        given |= changes
        return self.run_script(*(f"--{name}={value}" for name, value in given.items()))

    def test_paints_and_says_where(self):
        found = self.stylize(loss_log=self.folder / "losses.jsonl")
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertStartsWith(found.stdout, "memory: about ")
        self.assertIn("64 x 48 px, step 3 of 3: loss", found.stdout)
        self.assertEndsWith(found.stdout, f"painted {self.output}\n")
        with Image.open(self.output) as picture:
            self.assertEqual((picture.format, picture.size, picture.mode), ("PNG", (64, 48), "RGB"))
        rows = [json.loads(row) for row in (self.folder / "losses.jsonl").read_text().splitlines()]
        self.assertEqual([row["step"] for row in rows], [0, 1, 2])
        self.assertLess(rows[-1]["total"], rows[0]["total"])

    def test_places_and_colours(self):
        masks = ROOT / "samples" / "mask"
        found = self.stylize(
            content=ROOT / "samples" / "content" / "cincinnati_bridge.jpg",
            style=f"{PAINTING},{PHOTOGRAPH}",
            style_blend="0.7,0.3",
            style_mask=f"{masks / 'left.png'},none",
            style_region="none,none",
            style_layers="block1_conv1,block2_conv1/block4_conv1",
            content_mask=masks / "right.png",
            color="luminance",
        )
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertTrue(self.output.is_file())

    def test_quiet_says_nothing(self):
        found = self.stylize(quiet="true")
        self.assertEqual((found.returncode, found.stdout, found.stderr), (0, "", ""))
        self.assertTrue(self.output.is_file())

    def test_the_same_run_gives_the_same_bytes(self):
        pictures = []
        for _ in range(2):
            self.stylize(init="noise", seed=3, scales=2, size=96)
            pictures.append(self.output.read_bytes())
        self.assertEqual(*pictures)

    def test_alpha_and_16_bits_come_back(self):
        deep = self.folder / "deep.png"
        import tensorflow as tf

        samples = np.random.default_rng(0).integers(0, 65536, (64, 64, 4), dtype=np.uint16)
        deep.write_bytes(tf.io.encode_png(samples).numpy())
        found = self.stylize(content=deep, size=0)
        self.assertEqual(found.returncode, 0, found.stderr)
        painted = tf.io.decode_png(self.output.read_bytes(), dtype=tf.uint16).numpy()
        np.testing.assert_array_equal(painted[..., 3], samples[..., 3])
        self.assertGreater(len(np.unique(painted[..., :3])), 256)

    def test_starts_from_a_picture(self):
        found = self.stylize(init=PAINTING)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertTrue(self.output.is_file())

    def test_a_flag_wins_over_the_recipe(self):
        log = self.folder / "losses.jsonl"
        found = self.stylize(recipe="tutorial", steps=2, tv_weight=0, loss_log=log)
        self.assertEqual(found.returncode, 0, found.stderr)
        rows = [json.loads(row) for row in log.read_text().splitlines()]
        self.assertLen(rows, 2)
        self.assertEqual(rows[-1]["tv"], 0)
        self.assertGreater(rows[-1]["total"], 1e4)

    def test_a_flag_of_no_kind(self):
        found = run("stylize", "--contnt=a.jpg")
        self.refused(found, "contnt", "content")
        self.refused(run("stylize", "--content=", "--style="), "--content, --style, --output")
        self.refused(run("stylize", "photo.jpg"), "photo.jpg", "--name=value")
        self.refused(run("stylize", f"--content={PHOTOGRAPH}"), "--style", "--output")

    def test_pictures_that_are_none(self):
        empty, text = self.folder / "empty.jpg", self.folder / "text.jpg"
        empty.touch()
        text.write_text("not a picture")
        cut = self.folder / "cut.jpg"
        cut.write_bytes(PHOTOGRAPH.read_bytes()[:50_000])
        bomb = self.folder / "bomb.png"
        Image.new("1", (30_000, 30_000)).save(bomb)
        for path, word in (
            (self.folder / "missing.jpg", "no such file"),
            (self.folder, "is a folder"),
            (empty, "is empty"),
            (text, "not a picture"),
            (cut, "damaged or cut short"),
            (bomb, "too many pixels"),
        ):
            with self.subTest(path.name):
                self.refused(self.stylize(content=path), path, word)
        self.refused(self.stylize(style=text), text, "not a picture")
        self.refused(self.stylize(init=text), text, "not a picture")

    @parameterized.parameters(
        ({"size": 40}, "size=40: the short side would be 30 px", "--size=42"),
        ({"size": -1}, "size=-1", "at least 0"),
        ({"size": "big"}, "size=big", "int"),
        ({"steps": 0}, "steps=0", "at least 1"),
        ({"steps": -5}, "steps=-5", "at least 1"),
        ({"style_layers": "block1_conv1,conv9"}, "conv9", "block5_conv4"),
        ({"content_weight": -1}, "content_weight=-1", "at least 0"),
        ({"tv_weight": "nan"}, "tv_weight=nan", "at least 0"),
        ({"network": "alexnet"}, "network=alexnet", "vgg19 or vgg16"),
        ({"vgg_weights": "none.h5"}, "vgg_weights=none.h5", "is no file"),
    )
    def test_settings_out_of_range(self, changes, *words):
        self.refused(self.stylize(**changes), *words)

    def test_an_old_file_stays_when_the_run_is_refused(self):
        old = self.folder / "old.png"
        old.write_bytes(b"old")
        log = self.folder / "old.jsonl"
        log.write_text("old")
        self.refused(self.stylize(output=old, loss_log=log, style_layers="nowhere"), "nowhere")

    def test_sizes(self):
        for size, expected in ((0, (96, 130)), (200, (148, 200))):
            photograph = self.folder / "portrait.png"
            with Image.open(PHOTOGRAPH) as picture:
                picture.crop((0, 0, 96, 130)).save(photograph)
            found = self.stylize(content=photograph, size=size, scales=1, steps=1)
            self.assertEqual(found.returncode, 0, found.stderr)
            with Image.open(self.output) as picture:
                self.assertEqual(picture.size, expected)

    def test_pooling_and_the_other_network(self):
        weights = self.folder / "vgg16.weights.h5"
        import tensorflow as tf

        tf.keras.applications.VGG16(include_top=False, weights=None).save_weights(weights)
        for changes in ({"pooling": "avg"}, {"network": "vgg16", "vgg_weights": weights}):
            found = self.stylize(**changes)
            self.assertEqual(found.returncode, 0, found.stderr)
        self.refused(self.stylize(network="vgg16"), "network=vgg16", "--vgg_weights")

    def test_stopped_by_the_user(self):
        process = subprocess.Popen(
            [
                *(sys.executable, ROOT / "scripts" / "stylize.py", "--steps=100000", "--size=64"),
                *(f"--content={PHOTOGRAPH}", f"--style={PAINTING}", f"--output={self.output}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell starts what runs in the background with this signal ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.assertIn("memory: about", process.stdout.readline())
        self.assertIn("step 1 of 100000", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertRegex(
            said,
            r"\Astylize: stopped at step \d+ of 100000 at 64 x 48 px; "
            rf"wrote {re.escape(str(self.output))}\n\Z",
        )
        image_io.read(self.output)

    def test_outputs_that_cannot_be(self):
        self.refused(self.stylize(output=self.folder / "a.gif"), "a.gif", ".png, .jpg")
        self.refused(self.stylize(output=self.folder / "a"), "expected one of")
        self.refused(self.stylize(output=self.folder), self.folder)
        self.refused(self.stylize(output=f"{PHOTOGRAPH}/a.png"), "is a file; expected a folder")
        self.refused(self.stylize(output="/proc/nst_tf/a.png"), "cannot be written")
        self.refused(self.stylize(loss_log=self.folder / "a.jpg"), "loss_log", "a.jpg")

    def test_the_users_files_are_not_overwritten(self):
        photograph = self.folder / "photograph.jpg"
        shutil.copy(PHOTOGRAPH, photograph)
        self.refused(self.stylize(content=photograph, output=photograph), "overwrite", photograph)
        bare = self.folder / "bare"
        shutil.copy(PHOTOGRAPH, bare)
        self.refused(self.stylize(content=bare, loss_log=bare), "loss_log", "overwrite")

    def test_several_paintings_and_the_home_folder(self):
        shutil.copy(PAINTING, self.folder / "painting.jpg")
        found = run(
            "stylize",
            "--style=~/painting.jpg",
            f"--style={ROOT / 'samples/style/hokusai_great_wave.jpg'}",
            *(f"--content={PHOTOGRAPH}", f"--output={self.output}", "--size=64", "--steps=1"),
            environment={"HOME": str(self.folder)},
        )
        self.assertEqual(found.returncode, 0, found.stderr)
        alone = self.stylize(style=PAINTING, steps=1, quiet="false")
        self.assertNotEqual(found.stdout.splitlines()[1], alone.stdout.splitlines()[1])

    def test_our_own_faults_show_their_traceback(self):
        code = (
            "import sys; sys.argv = ['broken.py'];"
            "from nst_tf import program; program.run(lambda: 1 / 0)"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        self.assertNotEqual(found.returncode, 0)
        self.assertIn("Traceback", found.stderr)
        self.assertIn("ZeroDivisionError", found.stderr)


@pytest.mark.slow
class FastTest(ScriptTest):
    script = "fast"

    def test_paints_at_the_photographs_own_size(self):
        Image.open(PHOTOGRAPH).convert("RGBA").crop((0, 0, 101, 75)).save(self.folder / "a.png")
        found = self.run_script(
            f"--content={self.folder / 'a.png'}", f"--style={PAINTING}", f"--output={self.output}"
        )
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertEqual(found.stdout, f"painted {self.output}\n")
        with Image.open(self.output) as picture:
            self.assertEqual((picture.size, picture.mode), ((101, 75), "RGBA"))

    def test_several_photographs_in_several_manners_and_in_their_mixture(self):
        other = ROOT / "samples/style/hokusai_great_wave.jpg"
        given = [f"--content={PHOTOGRAPH}", f"--content={PAINTING}", f"--style={PAINTING}"]
        given += [f"--style={other}", "--size=64", f"--output={self.folder}"]
        names = [
            f"{content.stem}_{style.stem}.png"
            for content in (PHOTOGRAPH, PAINTING)
            for style in (PAINTING, other)
        ]
        found = self.run_script(*given)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertEqual(sorted(path.name for path in self.files()), sorted(names))
        pure = np.asarray(Image.open(self.folder / names[1]), np.float32)
        found = self.run_script(*given, "--style_blend=0.5,0.5")
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        mixed = f"{PHOTOGRAPH.stem}_{PAINTING.stem}_{other.stem}.png"
        mixture = np.asarray(Image.open(self.folder / mixed), np.float32)
        self.assertGreater(np.abs(mixture - pure).mean(), 2)

    def test_a_weaker_strength_is_nearer_the_photograph(self):
        distances = []
        with Image.open(PHOTOGRAPH) as photograph:
            photograph.resize((64, 48)).save(self.folder / "small.png")
        photograph = np.asarray(Image.open(self.folder / "small.png"), np.float32)
        for strength in (0.2, 1.0):
            found = self.run_script(
                f"--content={self.folder / 'small.png'}",
                f"--style={PAINTING}",
                f"--output={self.output}",
                f"--style_strength={strength}",
            )
            self.assertEqual(found.returncode, 0, found.stderr)
            painted = np.asarray(Image.open(self.output), np.float32)
            distances.append(np.abs(painted - photograph).mean())
        self.assertLess(*distances)

    def test_files_of_one_name_are_numbered(self):
        (self.folder / "other").mkdir()
        shutil.copy(PAINTING, self.folder / "other" / PHOTOGRAPH.name)
        contents = [PHOTOGRAPH, self.folder / "other" / PHOTOGRAPH.name]
        given = [f"--content={content}" for content in contents]
        found = self.run_script(
            *given, f"--style={PAINTING}", "--size=64", f"--output={self.folder / 'new'}"
        )
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        name = f"{PHOTOGRAPH.stem}_{PAINTING.stem}"
        self.assertEqual(
            sorted(path.name for path in (self.folder / "new").iterdir()),
            [f"{name} 2.png", f"{name}.png"],
        )

    @parameterized.parameters(
        ("--handle=no/model", "handle=no/model: there is no such folder"),
        ("--handle=http://127.0.0.1:9/model", "cannot be fetched", "refused", "TFHUB_CACHE_DIR"),
        ("--style_blend=1,2", "style_blend=1,2: expected a number", "1 in all"),
        ("--style_blend=a", "style_blend=a: expected a number"),
        (f"--style={PHOTOGRAPH}", "painted.png: expected a folder, there are several"),
        ("--style_strength=2", "style_strength"),
        ("--style_strength=nan", "strength=nan: expected a number from 0 to 1"),
        ("--size=20", f"{PHOTOGRAPH}: size=20", "--size=42 or more"),
        (f"--output={PHOTOGRAPH}", "overwrite"),
    )
    def test_mistakes_end_in_one_line(self, flag, *words):
        given = [f"--content={PHOTOGRAPH}", f"--style={PAINTING}", f"--output={self.output}"]
        self.refused(self.run_script(*given, flag), *words)


@pytest.mark.slow
class BatchTest(ScriptTest):
    script = "batch"

    def setUp(self):
        super().setUp()
        self.contents, self.styles = self.folder / "photographs", self.folder / "paintings"
        self.out = self.folder / "new" / "painted"
        for folder in (self.contents, self.styles):
            folder.mkdir()
        for name in ("a.jpg", "b.png"):
            self.cut(PHOTOGRAPH, self.contents / name)
        for path in (PAINTING, ROOT / "samples" / "style" / "hokusai_great_wave.jpg"):
            self.cut(path, self.styles / path.name)

    def cut(self, path, to):
        with Image.open(path) as picture:
            picture.resize((64, 48)).save(to)

    def flags(self, **changes):
        given = {
            "contents": self.contents,
            "styles": self.styles,
            "output_dir": self.out,
            "size": 48,
        }
        if changes.get("method") != "fast":
            given |= {"steps": 3, "precision": "float32"}
        return [f"--{name}={value}" for name, value in (given | changes).items()]

    def batch(self, **changes):
        return self.run_script(*self.flags(**changes))

    def painted(self):
        return {path.name: path.read_bytes() for path in self.out.glob("*.png")}

    def entries(self):
        return [json.loads(line) for line in (self.out / "batch.jsonl").read_text().splitlines()]

    def test_paints_what_stylize_paints_and_shows_it(self):
        found = self.batch()
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertStartsWith(found.stdout, "4 pictures, 0 of them done before\n")
        self.assertRegex(found.stdout, r"4 of 4: b__\w+\.png painted; 0:00:00 left\n")
        painted = self.painted()
        names = [path.stem for path in sorted(self.styles.iterdir())]
        self.assertEqual(set(painted), {f"{a}__{style}.png" for a in "ab" for style in names})
        (alone,) = (path for path in self.styles.iterdir() if path.stem == names[1])
        run(
            "stylize",
            *(f"--content={self.contents / 'a.jpg'}", f"--style={alone}", "--size=48"),
            *("--steps=3", "--precision=float32", f"--output={self.output}"),
        )
        self.assertEqual(painted[f"a__{names[1]}.png"], self.output.read_bytes())
        with Image.open(self.out / "sheet.jpg") as sheet:
            self.assertGreater(min(sheet.size), 100)
        page = (self.out / "index.html").read_text()
        for name in painted:
            self.assertIn(f'href="{name}"', page)
        found = self.batch()
        self.assertStartsWith(found.stdout, "4 pictures, 4 of them done before\n")
        self.assertEqual(self.painted(), painted)
        self.assertLen(self.entries(), 4)

    @parameterized.parameters("optimize", "fast")
    def test_bad_files_among_good_ones_and_two_of_one_name(self, method):
        (self.contents / "bad.jpg").write_bytes((self.contents / "a.jpg").read_bytes()[:200])
        (self.contents / "text.png").write_text("no picture")
        (self.contents / "notes.txt").write_text("not to be read")
        self.cut(PHOTOGRAPH, self.contents / "a.png")
        found = self.batch(method=method)
        self.assertEqual(found.returncode, 1)
        self.assertEqual(
            found.stderr, "batch: 4 of 10 pictures failed; the same command tries them again\n"
        )
        style = sorted(self.styles.iterdir())[0].stem
        table = found.stdout[found.stdout.index("\nfailed ") :]
        self.assertRegex(table, rf"\nbad__{style}\.png +{re.escape(str(self.contents))}/bad\.jpg: ")
        self.assertRegex(
            table, rf"\ntext__{style}\.png +{re.escape(str(self.contents))}/text\.png: "
        )
        self.assertLen(table.splitlines(), 1 + 1 + 4)
        self.assertLen(self.painted(), 6)
        self.assertIn(f"a.jpg__{style}.png", self.painted())
        self.assertIn(f"a.png__{style}.png", self.painted())
        self.assertLen([each for each in self.entries() if each["error"]], 4)
        self.assertIn("text.png: ", (self.out / "index.html").read_text())
        for name in ("bad.jpg", "text.png"):
            self.cut(PHOTOGRAPH, self.contents / name)
        found = self.batch(method=method)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertStartsWith(found.stdout, "10 pictures, 6 of them done before\n")
        self.assertLen(self.painted(), 10)

    def test_workers_and_a_cluster_paint_the_same_bytes(self):
        count = os.cpu_count() or 1
        found = self.batch(workers=count, threads=1)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        expected = self.painted()
        shutil.rmtree(self.out)
        try:
            import ray  # noqa: F401
        except ImportError:
            self.skipTest("Ray is not installed: requirements-ray.txt")
        found = self.batch(runner="ray", workers=1, threads=1)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertEqual(self.painted(), expected)

    @parameterized.parameters(1, 2)
    def test_stopped_it_loses_nothing_and_goes_on(self, workers):
        process = subprocess.Popen(
            [sys.executable, ROOT / "scripts" / "batch.py", *self.flags(workers=workers, steps=40)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.assertIn("0 of them done before", process.stdout.readline())
        self.assertRegex(process.stdout.readline(), r"^1 of 4: \S+ painted; 0:\d\d:\d\d left")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        self.assertEqual(process.returncode, 130, said)
        told = re.fullmatch(
            r"batch: stopped after (\d) of 4; the same command paints the rest\n", said
        )
        self.assertIsNotNone(told, said)
        done = self.painted()
        self.assertLen(done, int(told[1]))
        self.assertLess(len(done), 4)
        found = self.batch(workers=workers, steps=40)
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertStartsWith(found.stdout, f"4 pictures, {len(done)} of them done before\n")
        self.assertEqual(self.painted() | done, self.painted())
        self.assertLen(self.painted(), 4)

    def test_mistakes_end_in_one_line(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.refused(self.batch(contents=empty), f"contents={empty}: no pictures are there")
        self.refused(self.batch(styles="no/*.jpg"), "styles=no/*.jpg: no pictures are there")
        self.refused(self.batch(output_dir=self.contents), "which is read; choose another folder")
        self.refused(self.batch(output_dir=self.contents / "a.jpg"), "expected a folder")
        self.refused(self.batch(output_dir="/proc/nst_tf"), "cannot be written")
        self.refused(self.batch(style_layers="nothing"), "style_layers=nothing: vgg19 has no")
        self.refused(self.batch(method="fast", handle="no/model"), "there is no such folder")
        self.refused(self.batch(init=PHOTOGRAPH), "expected content or noise in a batch")
        self.refused(self.batch(method="slow"), "method")
        self.refused(self.batch(method="fast", steps=3), "steps: method=fast takes no such setting")
        self.refused(self.batch(ray_address="127.0.0.1:1"), "expected --runner=ray with it")


@pytest.mark.slow
class CompareTest(ScriptTest):
    script = "compare"

    def test_writes_picture_page_and_numbers(self):
        found = self.run_script(
            f"--content={PHOTOGRAPH}",
            f"--style={PAINTING}",
            f"--style={ROOT / 'samples/style/hokusai_great_wave.jpg'}",
            *("--size=64", "--steps=2", f"--output_dir={self.folder / 'new'}"),
            *(f"--init={PAINTING}", f"--handle={MODEL}", "--handle=bundled"),
        )
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertIn("fast (bundled): ", found.stdout)
        self.assertIn("64 x 48 px, step 2 of 2", found.stdout)
        files = sorted(path.name for path in self.files() if path.is_file())
        self.assertEqual(files, ["comparison.json", "comparison.png", "report.html"])
        record = json.loads((self.folder / "new" / "comparison.json").read_text())
        self.assertEqual(record["settings"]["steps"], 2)
        self.assertLen(record["pairs"], 2)
        for pair in record["pairs"]:
            self.assertEqual((pair["width"], pair["height"]), (64, 48))
            names = [picture["name"] for picture in pair["pictures"]]
            self.assertEqual(names[:2], ["photograph", "optimised"])
            self.assertEqual(names[3], "fast (bundled)")
            fast, again = (
                {**each, "name": "", "seconds_cold": 0, "seconds_warm": 0}
                for each in pair["pictures"][2:]
            )
            self.assertEqual(fast, again)
            for picture in pair["pictures"][1:]:
                self.assertGreater(picture["seconds_cold"], 0)
                self.assertBetween(picture["ssim"], -1, 1)
        self.assertIn("<table>", (self.folder / "new" / "report.html").read_text())

    @parameterized.parameters(
        (["--handle=no/model"], "handle=no/model: there is no such folder"),
        (["--size=20"], "size=20"),
        (["--output_dir=README.md"], "README.md is a file"),
        ([f"--content={PHOTOGRAPH}", *[f"--style={PAINTING}"] * 2], "given 2 and 3 times"),
    )
    def test_mistakes_end_in_one_line(self, flags, words):
        given = [f"--content={PHOTOGRAPH}", f"--style={PAINTING}", "--size=64", "--steps=1"]
        found = self.run_script(*given, f"--output_dir={self.folder / 'new'}", *flags)
        self.refused(found, words)


@pytest.mark.slow
class ExportTest(ScriptTest):
    script = "export"

    def test_exports_what_the_fast_script_loads(self):
        folder = self.folder / "model"
        found = self.run_script("--model=fast", f"--output_dir={folder}")
        self.assertEqual((found.returncode, found.stdout), (0, f"exported {folder}\n"))
        self.assertEqual(found.stderr, "")
        pictures = []
        for handle in (folder, "bundled"):
            given = [f"--content={PHOTOGRAPH}", f"--style={PAINTING}", f"--output={self.output}"]
            painted = run("fast", *given, f"--handle={handle}", "--size=64")
            self.assertEqual(painted.returncode, 0, painted.stderr)
            pictures.append(self.output.read_bytes())
        self.assertEqual(*pictures)

    def test_stopped_it_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                [sys.executable, ROOT / "scripts" / "export.py", "--model=fast"]
                + [f"--output_dir={self.folder / 'new' / 'model'}"],
                stderr=subprocess.PIPE,
                text=True,
                # A shell that runs this in the background would have it ignore Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
            while not (self.folder / "new").is_dir() or not list((self.folder / "new").iterdir()):
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            # In the middle of it: the model is traced and being written.
            time.sleep(1)
            process.send_signal(number)
            _, stderr = process.communicate()
            self.assertEqual((process.returncode, stderr), (128 + number, "export: stopped\n"))
            self.assertEqual(list((self.folder / "new").iterdir()), [])

    def test_settings_go_in_and_an_export_is_replaced(self):
        given = [f"--output_dir={self.folder / 'model'}", "--style_layers=block1_conv1"]
        for model, knobs, size in (("extractor", [], None), ("optimizer", ["--history=3"], 0)):
            found = self.run_script(f"--model={model}", *given, *knobs, "--overwrite")
            self.assertEqual((found.returncode, found.stderr), (0, ""))
            text = (self.folder / "model" / "assets.extra" / "manifest.json").read_text()
            settings = json.loads(text)["settings"]
            self.assertEqual(settings["style_layers"], ["block1_conv1"])
            self.assertEqual(settings.get("size"), size)
        self.assertEqual(settings["history"], 3)

    @parameterized.parameters(
        (["--model=extractor", "--content_weight=1"], "no setting of an exported extractor, it is"),
        (["--model=optimizer", "--steps=4"], "no setting of an exported optimizer, each"),
        (["--model=fast", "--size=64"], "size: no setting of an exported fast, it is not made"),
        (["--model=extractor", "--format=tflite"], "format=tflite: no format of an exported"),
        (["--model=fast", "--shape=64,64"], "shape: a SavedModel takes any"),
        (["--model=fast", "--format=tflite", "--shape=64,20"], "shape=64,20: expected height,wid"),
        (["--model=fast", "--format=tflite", "--shape=64,99999"], "each 32 to 2048"),
        (["--model=optimizer", "--size=20"], "size=20: the short side would be"),
        (["--model=fast", "--output_dir=/proc/model"], "cannot be written"),
        (["--model=fast", "--output_dir=docs"], "docs: is there and is no export"),
        (["--model=fast", "--output_dir=docs", "--overwrite"], "docs: is there and is no export"),
        (["--model=optimizer", "--init=a.png"], "init=a.png: an export starts from"),
    )
    def test_mistakes_end_in_one_line(self, flags, words):
        self.refused(self.run_script(f"--output_dir={self.folder / 'new'}", *flags), words)


if __name__ == "__main__":
    absltest.main()
