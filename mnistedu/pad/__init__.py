"""Pads to draw digits on: one that reads them, and one that collects your own."""

from mnistedu.pad.drawing import DrawingPad
from mnistedu.pad.handwriting import HandwritingPad, load_drawings

__all__ = ["DrawingPad", "HandwritingPad", "load_drawings"]
