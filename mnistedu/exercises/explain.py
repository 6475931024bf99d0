"""What Python or torch says about a slip, and what a reader can do about it."""

import re
from pathlib import Path
from traceback import extract_tb
from types import TracebackType

from mnistedu.exercises.show import show_error

HERE = str(Path(__file__).parent)

# A part of the message, and the advice, in which \1 is what the first brackets caught.
ADVICE = {
    r"could not infer output dtype": "only floats have a mean: take .float() first.",
    r"return_types\.(\w+)": (
        r"along a dimension, \1 returns two things, the values and where they were: "
        "take .values or .indices of them, or use amax and amin."
    ),
    r"'bool' object has no attribute": (
        "what you compare is no tensor, so that == gives a single True or False: max, "
        "min, topk and sort return two things, so take .values or .indices of them."
    ),
    r"Boolean value of Tensor": (
        "if, and, or, not need one True or False, and a comparison of tensors gives "
        "many: use them as a mask, or in torch.where."
    ),
    r"tensor a \(0\) must match|tensor b \(0\) at": (
        "a slice is empty here: it ends before it begins. A negative number in it "
        "counts from the end."
    ),
    r"tensor a \((\d+)\) must match .* b \((\d+)\) .*dimension (\d+)": (
        r"two tensors do not fit: in dimension \3 one has \1 places and the other \2. "
        "Print the .shape of both. A sum, a mean or amax drops a dimension unless you "
        "say keepdim=True, and a size that is written as a number fits one case only."
    ),
    r"shape '(\[.*?\])' is invalid for input of size (\d+)": (
        r"\2 numbers do not fill the shape \1: is a size written as a number that "
        "should come from .shape, or are there more or fewer numbers than you think?"
    ),
    r"out of bounds for dimension \d+ with size 0": (
        "nothing is left here to take something from: did a mask pick nothing?"
    ),
    r"index (\d+) is out of bounds for (?:dimension|axis) (\d+) with size (\d+)": (
        r"there is no place \1 in dimension \2, which has \3 places, and the first of "
        "them is 0: is a loop too long for this case, is it the index of another "
        "dimension, or are the dimensions in another order?"
    ),
    r"index out of range in self": (
        "an index is larger than the dimension in which it looks: is it the index of "
        "another dimension?"
    ),
    r"(list|tuple) index out of range": (
        r"this \1 has no such place: the first is 0 and the last is its length less 1. "
        "Where i + 1 is used, i must stop one earlier; and cases differ in length."
    ),
    r"selected index k out of range": (
        "topk is asked for more than there are along the dimension in which it looks, "
        "the last one unless you flatten or say otherwise."
    ),
    r"same number of dimensions as (?:input|self)": (
        "gather and scatter want an index with as many dimensions as the tensor has: "
        "flatten both in the same way before."
    ),
    r"too many indices for tensor of dimension (\d+)": (
        r"you use more indices than the tensor has dimensions, \1: print its .shape."
    ),
    r"used as indices must be|dtype int32/int64 for index": (
        "an index is a whole number or a mask, not a float: argmin and argmax give the "
        "place, min and max what stands there."
    ),
    r"tuple of ints, not float|zeros\(\) takes|slice indices must|"
    r"'float' object cannot be int": (
        "a place or a count must be a whole number, and / always gives a float: divide "
        "with //."
    ),
    r"of batch2 tensor to be": (
        "@ is the product of matrices, and these do not fit: number by number "
        "multiplies *."
    ),
    r"shapes cannot be multiplied \((\S+) and (\S+)\)": (
        r"@ is the product of matrices, and \1 and \2 do not fit: the second of the "
        "first must be the first of the second. Number by number multiplies *. A "
        "linear layer is such a product too: flatten(1) the images before it."
    ),
    r"same dtype|expected scalar type": (
        "whole numbers or a mask meet floats here: take .float() of them first."
    ),
    r"can't be cast to the desired output type": (
        "a tensor of whole numbers cannot take floats: make it of floats from the "
        "beginning, for example with .float()."
    ),
    r"with (?:a|two) bool tensor": (
        "a mask cannot be subtracted: take .float() of it, or ~ for its opposite."
    ),
    r"expanded size .* \((\d+)\) must match the existing size \((\d+)\)": (
        r"\2 numbers are to be written where there are \1 places: print both shapes."
    ),
    r"numel\(\) == 0": "there is nothing here to take the largest or smallest of: does "
    "the window lie outside, or did a mask pick nothing?",
    r"^expand\(|the number of sizes provided": (
        "a whole tensor does not fit into the place of one number: is a sum, a mean or "
        "a maximum missing?"
    ),
    r"element tensors can be converted|with one element can be converted": (
        "math, float() and int() take one number, and this is a tensor of many: use "
        "torch's own functions, as in x.exp()."
    ),
    r"Dimension out of range \(.*got (-?\d+)\)": (
        r"there is no dimension \1 here: they are counted from 0. Print the .shape."
    ),
    r"to match the convolution dimensions": (
        "torch's convolution takes images (N, C, H, W) and kernels (K, C, h, w): "
        "x[None] adds a dimension in front."
    ),
    r"supports? at least 2D": "a dimension is missing here: x[None] adds one in front.",
    r"'(list|int|float|tuple)' object has no attribute '(\w+)'": (
        r"this is a \1, which knows no .\2, as tensors do: torch.tensor() makes a "
        "tensor of it."
    ),
    r"'NoneType' object": (
        "something here is None: what a method that returns nothing gave, or a "
        "function without return."
    ),
    r"'ellipsis'": "put your own lines in the place of the three dots.",
    r"'(?:builtin_function_or_method|method)'": (
        "a method is named here but not called: add the brackets ()."
    ),
    r"object is not callable": "there are brackets () after something that is no "
    "function: is there a * missing, or does a variable have a function's name?",
    r"values to unpack|cannot unpack": (
        "there are more or fewer values than names on the left of =, or after for: "
        "print what you unpack."
    ),
    r"expected Tensor as element|must be tuple of Tensors": (
        "stack and cat take a list of tensors: torch.tensor() makes one of numbers."
    ),
    r"stack expects each tensor to be equal size": (
        "only tensors of the same shape can be stacked: print their .shape."
    ),
    r"'[<>]=?' not supported|unsupported operand": (
        "these two kinds of values cannot be compared or calculated with: print both."
    ),
    r"received an invalid combination of arguments - got (\(.*?\))": (
        r"this function does not take \1. max and min, for one, go along a single "
        "dimension, amax and amin along several."
    ),
    r"name '(\w+)' is not defined": (
        r"there is no \1 here: a slip of the pen, or a line that did not run?"
    ),
    r"q must be in the range|q values must be in": (
        "quantile takes shares from 0 to 1, not per cent."
    ),
    r"not implemented for '(Long|Int|Short|Byte|Bool)'": (
        "whole numbers or a mask came where floats are wanted: take .float() of them, "
        "or are two arguments exchanged?"
    ),
    r"does not require grad and does not have a grad_fn": (
        "backward() finds nothing to go back through: was the loss computed under "
        "no_grad(), or detached?"
    ),
    r"(?i:output size is too small)|must not exceed": (
        "the window is larger than the image here."
    ),
    r"Sizes of tensors must match except in dimension (\d+)": (
        r"cat joins along dimension \1 here, and in all others the tensors must be "
        "alike: print their .shape."
    ),
    r"size mismatch": "two shapes do not fit here: print the .shape of both.",
    r"by zero": "you divide by something that is 0 in this case.",
}


def explain(error: Exception, names: list[str]) -> str:
    """In the reader's terms, with the message cut to one line and the line at fault.

    Args:
        error: what a reader's function raised.
        names: of the arguments that it was called with.
    """
    said = show_error(error)
    line = _find_line(error.__traceback__)
    where = f"\n    in the line {line}" if line else ""
    if line is None and isinstance(error, TypeError) and "argument" in said:
        return (
            f"your function must take these arguments and no other: {', '.join(names)}."
        )
    for part, advice in ADVICE.items():
        if found := re.search(part, str(error)):
            advice = found.expand(advice) + _name_fixed(said, line or "")
            return advice + where
    return f"your function raised {type(error).__name__}.{where}"


def _name_fixed(said: str, line: str) -> str:
    """A size that the message names and the line has as a number, if it is large."""
    fixed = [n for n in re.findall(r"\d\d+", said) if re.search(rf"\b{n}\b", line)]
    return f" Your line has {fixed[0]} in it: other cases differ." if fixed else ""


def _find_line(traceback: TracebackType | None) -> str | None:
    """The innermost line of the reader's own file or cell, if its text is known."""
    frames = [at for at in extract_tb(traceback) if not at.filename.startswith(HERE)]
    own = [at.line for at in frames if at.filename == frames[0].filename]
    return own[-1] if own else None
