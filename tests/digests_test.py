import hashlib
from pathlib import Path

from absl.testing import absltest

from nst_tf import digests


class DigestsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.target = Path(self.create_tempdir().full_path, "file")

    def test_sha256(self):
        self.target.write_bytes(b"data")
        expected = hashlib.sha256(b"data").hexdigest()
        self.assertEqual(
            (digests.sha256(b"data"), digests.file_sha256(self.target)), (expected,) * 2
        )


if __name__ == "__main__":
    absltest.main()
