from absl.testing import absltest, parameterized

from nst_tf.printable import ESCAPE, printable


class PrintableTest(parameterized.TestCase):
    @parameterized.parameters(
        (b"caf\xe9.jpg", "utf-8", "caf\\xe9.jpg"),
        (b"caf\xe9.jpg", "latin-1", "caf\\xe9.jpg"),
        ("café…".encode(), "utf-8", "café…"),
        ("café…".encode(), "latin-1", "café\\u2026"),
        ("café…".encode(), "ascii", "caf\\xe9\\u2026"),
    )
    def test_file_names(self, name, encoding, shown):
        text = name.decode("utf-8", "surrogateescape")
        self.assertEqual(printable(text, encoding), shown)

    def test_any_character(self):
        self.assertEqual(printable("\ud800 \U0001f3a8", "ascii"), "\\ud800 \\U0001f3a8")

    def test_only_for_encoding(self):
        with self.assertRaises(UnicodeDecodeError):
            b"\xe9".decode("ascii", ESCAPE)


if __name__ == "__main__":
    absltest.main()
