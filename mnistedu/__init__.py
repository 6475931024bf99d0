"""mnistedu: the small library under a course on handwritten digits.

Import what you need from its modules, for example
``from mnistedu.data import load``. Importing the package itself costs nothing.
"""

__version__ = "0.1.0"
