"""The packages: those found below nst_tf, and saved_models, which lies beside it in a checkout."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["nst_tf", "nst_tf.*"]), "nst_tf.saved_models"])
