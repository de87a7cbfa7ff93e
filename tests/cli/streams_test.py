import errno
import io
import os
import sys
from unittest import mock

from absl.testing import absltest, parameterized

from nst_tf.cli import streams


class Closed(io.RawIOBase):
    """A file that takes so many bytes."""

    def __init__(self, count, number):
        self.taken, self._count, self._number = b"", count, number

    def writable(self):
        return True

    def write(self, data):
        if len(self.taken) >= self._count:
            raise OSError(self._number, os.strerror(self._number))
        self.taken += data
        return len(data)


def stream(raw, encoding="utf-8", **given):
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, **given)


class UnfailingTest(parameterized.TestCase):
    @parameterized.parameters(errno.EPIPE, errno.EIO, errno.ENOSPC)
    def test_what_nobody_reads_is_dropped(self, number):
        raw = Closed(6, number)
        out = streams.unfailing(stream(raw, line_buffering=True))
        for line in ("first\n", "second\n", "third\n"):
            out.write(line)
        out.close()
        self.assertEqual(raw.taken, b"first\n")

    def test_what_a_full_pipe_does_not_take_is_dropped(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with open(reader, "rb"), open(writer, "w", buffering=1) as file:
            out = streams.unfailing(file)
            for _ in range(20):  # a pipe takes 64 KiB
                out.write("line " * 2000 + "\n")
            out.close()

    @parameterized.parameters(
        ("ascii", b"caf\\xe9 \\xe9 \\u2014\n"),
        ("latin-1", b"caf\xe9 \\xe9 \\u2014\n"),
        ("utf-8", b"caf\xc3\xa9 \\xe9 \xe2\x80\x94\n"),
    )
    def test_any_text(self, encoding, shown):
        raw = Closed(100, 0)
        old = stream(raw, encoding)
        for file in (streams.unfailing(old), old):
            print("café \udce9 —", file=file, flush=True)
        self.assertEqual(raw.taken, 2 * shown)

    def test_the_place_and_the_buffering_of_the_stream_stay(self):
        reader, writer = os.pipe()
        with open(reader, "rb"), open(writer, "w", encoding="latin-1") as file:
            out = streams.unfailing(file)
            found = out.fileno(), out.isatty(), out.encoding, out.line_buffering
            self.assertEqual(found, (writer, False, "latin-1", False))
        unbuffered = io.TextIOWrapper(Closed(9, 0), "utf-8", write_through=True)
        self.assertTrue(streams.unfailing(unbuffered).line_buffering)

    def test_others_are_left(self):
        out = io.StringIO()
        self.assertIs(streams.unfailing(out), out)
        nowhere = streams.unfailing(None)
        print("text", file=nowhere)
        self.assertFalse(nowhere.isatty())
        nowhere.close()

    def test_both_are_replaced(self):
        out, err = stream(Closed(0, errno.EIO)), stream(Closed(0, errno.EPIPE))
        with mock.patch.object(sys, "stdout", out), mock.patch.object(sys, "stderr", err):
            streams.make_unfailing()
            print("text", flush=True)
            print("text", file=sys.stderr, flush=True)


if __name__ == "__main__":
    absltest.main()
