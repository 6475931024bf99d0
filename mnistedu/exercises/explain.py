"""What Python or torch says about a slip, and what a reader can do about it."""

import re
from pathlib import Path
from traceback import extract_tb
from types import TracebackType

import numpy as np
from torch import Tensor

from mnistedu.exercises.show import show_error

HERE = str(Path(__file__).parent)
NUMPYS = str(Path(np.__file__).parent)

NUMPY = (
    "NumPy's functions stumble over torch's tensors: take .numpy() of them first, or "
    "use torch's own."
)

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
        "if, and, or, not need one True or False, as Python's own max and min do, and "
        "a comparison of tensors gives many: use them as a mask, or in torch.where; "
        "for max and min there are clamp, amax and amin."
    ),
    r"tensor a \(0\) must match|tensor b \(0\) at": (
        "a slice is empty here: it ends before it begins, or begins beyond the edge. "
        "A negative number in it counts from the end."
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
    r"index (\d+) is out of bounds for (?:dimension|axis) \d+ with size (\d+)": (
        r"there is no place \1 in a dimension of size \2, where the first place is 0: "
        "is a loop too long for this case, is it the index of another dimension, or "
        "are the dimensions in another order?"
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
    r"same number of dimensions: got (\d+) and (\d+)": (
        r"cat joins tensors of as many dimensions each, and these have \1 and \2: "
        "x[None] adds one in front."
    ),
    r"same number of dimensions as src": (
        "scatter stumbles over what it is to write: a number, or a tensor with as many "
        "dimensions as its index. .item() makes a number of a tensor that holds one."
    ),
    r"same number of dimensions as (?:input|self)": (
        "gather and scatter want an index with as many dimensions as the tensor has: "
        "flatten both in the same way before."
    ),
    r"too many indices for tensor of dimension (\d+)": (
        r"you use more indices than the tensor has dimensions, \1: print its .shape. "
        "Or is the index what sort or topk return, values and where they were: take "
        ".indices of it."
    ),
    r"used as indices must be|dtype int32/int64 for index|valid indices": (
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
    r"shapes cannot be multiplied \((\d+)x(\d+) and (\1x\d+|\d+x(?:\1|\2))\)": (
        r"@ is the product of matrices, and \1x\2 and \3 do not fit: the second of "
        "the first must be the first of the second: is a .T missing, or is their order "
        "another? Number by number multiplies *."
    ),
    r"shapes cannot be multiplied \((\S+) and (\S+)\)": (
        r"@ is the product of matrices, and \1 and \2 do not fit: the second of the "
        "first must be the first of the second. Number by number multiplies *. A "
        "linear layer is such a product too: flatten(1) the images before it."
    ),
    r"(?i)(double|float)\b(?: != | but found )(?!\1)(?:double|float)\b": (
        "float32 and float64 meet here: give both the same dtype, as .to(other) does."
    ),
    r"same dtype|expected scalar type": (
        "whole numbers or a mask meet floats here: take .float() of them first."
    ),
    r"can't be cast to the desired output type": (
        "a tensor of whole numbers cannot take floats: make it of floats from the "
        "beginning, for example with .float()."
    ),
    r"(?:with|on) (?:a|two) bool tensor": (
        "a mask knows no minus: take .float() of it, or ~ for its opposite."
    ),
    r"operator\.invert|\"bitwise_": (
        "~, & and | are for masks, and these are numbers: compare first, as in "
        "(x > 0) & (y > 0)."
    ),
    r"shape of the mask (\[.*?\]).* indexed tensor (\[.*?\])": (
        r"a mask of shape \1 does not lie on a tensor of shape \2: which dimension is "
        "it meant for?"
    ),
    r"condition to be a boolean": "torch.where takes a mask first, as in x > 0.",
    r"expanded size .* \((\d+)\) must match the existing size \((\d+)\)": (
        r"\2 numbers are to be written where there are \1 places: print both shapes."
    ),
    r"numel\(\) == 0|empty sequence|non-zero size": (
        "there is nothing here to take the largest or smallest of: does the window lie "
        "outside, or did a mask pick nothing?"
    ),
    r": expand\(|the number of sizes provided": (
        "a whole tensor does not fit into the place of one number: is a sum, a mean or "
        "a maximum missing?"
    ),
    r"of a single element can be converted to an index|as an integer": (
        "one whole number is wanted here, and this is something else: print it."
    ),
    r"element tensors can be converted|with one element can be converted|to Scalar": (
        "math, float() and int() take one number, and this is a tensor of many: use "
        "torch's own functions, as in x.exp()."
    ),
    r"Dimension out of range \(.*got (-?\d+)\)": (
        r"there is no dimension \1 here: they are counted from 0. Print the .shape."
    ),
    r"0-d(?:im)? tensor|'(?:int|float)'.* (?:no len|not (?:iter|subscript)able)": (
        "this is one number: it has no places and no length, and no loop runs over it."
    ),
    r"math (?:domain|range) error": (
        "this number has no logarithm or no root, or e to its power is too large: "
        "print it."
    ),
    r"Target \S+ is out of bounds|smaller than num_classes": (
        "a target is no column here: columns are counted from 0. Are they too few, or "
        "is it no target?"
    ),
    r"batch_size \((\d+)\) to match target batch_size \((\d+)\)": (
        r"there are \1 rows and \2 targets here: each row needs a target of its own."
    ),
    r"target dtype|LongTensor|expected floating point type for target|bincount": (
        "targets are whole numbers here, in one row: .long() makes whole numbers."
    ),
    r"grad can be implicitly created only": (
        "backward() starts from one number, the loss: is a mean missing?"
    ),
    r"requires grad\. Use": (
        "NumPy takes no tensor that records gradients: .detach() it first."
    ),
    r"view size is not compatible": (
        "these numbers do not lie one behind the other: take reshape in place of view."
    ),
    r"to have (\d+) channels, but got (\d+)": (
        r"the kernels are for \1 channels, and the images have \2."
    ),
    r"to match the convolution dimensions|3D .*or 4D": (
        "torch's convolution and pooling take images (N, C, H, W), and kernels are "
        "(C', C, h, w): x[None] adds a dimension in front."
    ),
    r"supports? at least 2D": "a dimension is missing here: x[None] adds one in front.",
    r"'float' object has no attribute '(backward|detach|item)'": (
        r"this is a float, which knows no .\1: does .item() stand where it should not?"
    ),
    rf"'(list|int|float|tuple)' object has no attribute '({'|'.join(dir(Tensor))})'": (
        r"this is a \1, which knows no .\2, as tensors do: torch.tensor() makes a "
        "tensor of it."
    ),
    r"1D tensors expected|must be a matrix|Expected 1-D": (
        "this product takes tensors of other dimensions: number by number multiplies "
        "*, and sum() adds up."
    ),
    r"'(Tensor|torch[\w.]*|numpy[\w.]*|math)'.* has no attribute '(\w+)'": (
        r"\1 knows no \2: a slip of the pen, or what lists, NumPy or torch call it?"
    ),
    r"'NoneType' object": (
        "something here is None: what a method that returns nothing gave, a function "
        "without return, or the .grad of a tensor that keeps none."
    ),
    r"expected tensor \[(\d+)\] and src \[(\d+)\] to have the same number": (
        r"the product of two rows of numbers wants both equally long: these have \1 "
        r"and \2."
    ),
    r"non-empty (?:TensorList|list)": (
        "there is nothing to join: in this case the list of tensors is empty. Does a "
        "loop have no round to run?"
    ),
    r"int too (?:big|large) to convert": (
        "a tensor's whole numbers end at 2**63, and floats at 1e308: count with "
        "Python's own, which int() makes of a tensor, and divide one by the other."
    ),
    r"'ellipsis'": "put your own lines in the place of the three dots.",
    r"'(?:builtin_function_or_method|method)'": (
        "a method is named here but not called: add the brackets ()."
    ),
    r"'(\w+)' object has no attribute '(\w+)'": (
        r"\1 knows no .\2: a slip of the pen, or is this not what you think it is?"
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
    r"for \^: ": "^ is no power in Python: write **.",
    r"missing the required \"forward\"": (
        "this network has no forward, which says how images become logits: write one, "
        "indented as __init__ is."
    ),
    r"'type' object does not support the context manager": (
        "a class is named here but not called: add the brackets ()."
    ),
    r"'numpy.ndarray' and 'Tensor'": NUMPY,
    r"'[<>]=?' not supported|unsupported operand|bad operand|only concatenate|"
    r"multiply sequence": (
        "these two kinds of values cannot be compared or calculated with: print both."
    ),
    r"received an invalid combination of arguments - got (\(.*?\))": (
        r"this function does not take \1. max and min, for one, go along a single "
        "dimension, amax and amin along several."
    ),
    r"(?:local|free) variable '(\w+)'": (
        r"in this case no line has given \1 a value: let every way through the "
        "function do so."
    ),
    r"name '(\w+)' is not defined": (
        r"there is no \1 here: a slip of the pen, a line that did not run, or a word "
        "without its quotes?"
    ),
    r"q must be in the range|q values must be in": (
        "quantile takes shares from 0 to 1, not per cent."
    ),
    r"not implemented for '(Long|Int|Short|Byte|Bool)'|only support floating|"
    r"float or double dtype": (
        "whole numbers or a mask came where floats are wanted: take .float() of them, "
        "or are two arguments exchanged?"
    ),
    r"does not require grad and does not have a grad_fn": (
        "backward() finds nothing to go back through: was the loss computed under "
        "no_grad(), or detached, or does it go through argmax or a comparison, which "
        "have no gradient?"
    ),
    r"(?i:output size is too small)|must not exceed": (
        "the window is larger than the image here."
    ),
    r"Sizes of tensors must match except in dimension (\d+)": (
        r"cat joins along dimension \1 here, and in all others the tensors must be "
        "alike: print their .shape."
    ),
    r"broadcast together with shapes (.+)": (
        r"these shapes do not fit: \1. Print the .shape of both."
    ),
    r"size mismatch": "two shapes do not fit here: print the .shape of both.",
    r"by zero": "you divide by something that is 0 in this case.",
    r"KeyError: (.+)": r"there is no \1 in this dictionary.",
    r"(\w+)\(\): argument .* must be (\w+).*, not (\w+)": (
        r"\1() wants \2 here, and this is \3: torch.tensor() makes a tensor of "
        "numbers, and .tolist() numbers of a tensor."
    ),
    r"missing \d+ required .*: \W?(\w+)": (
        r"something is missing in the brackets here: \1."
    ),
    r"positional arguments? but|takes no arguments": (
        "there is more in the brackets here than this function takes."
    ),
    r"'(\w+)' is an invalid keyword|unexpected keyword argument '(\w+)'": (
        r"this function knows no \1\2=: Python's own sum, max and min, for example, "
        "are not those of torch."
    ),
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
        if not names:
            return "your function must take no arguments: leave its brackets empty."
        return (
            f"your function must take these arguments and no other: {', '.join(names)}."
        )
    if isinstance(error, TypeError) and _ends_in_numpy(error.__traceback__):
        return NUMPY + where
    for part, advice in ADVICE.items():
        if found := re.search(part, f"{type(error).__name__}: {error}"):
            advice = found.expand(advice) + _name_fixed(said, line or "")
            return advice + where
    return f"your function raised {type(error).__name__}.{where}"


def _name_fixed(said: str, line: str) -> str:
    """A size that the message names and the line has as a number, if it is large."""
    fixed = [n for n in re.findall(r"\d\d+", said) if re.search(rf"\b{n}\b", line)]
    return f" Your line has {fixed[0]} in it: other cases differ." if fixed else ""


def _ends_in_numpy(traceback: TracebackType | None) -> bool:
    """Whether one of NumPy's own lines raised it."""
    return extract_tb(traceback)[-1].filename.startswith(NUMPYS)


def _find_line(traceback: TracebackType | None) -> str | None:
    """The innermost line of the reader's own file or cell, if its text is known."""
    frames = [at for at in extract_tb(traceback) if not at.filename.startswith(HERE)]
    own = [at.line for at in frames if at.filename == frames[0].filename]
    return own[-1] if own else None
