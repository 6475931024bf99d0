"""Train the network that the package ships: ``make weights``.

The recipe was chosen on the validation images; the test set is measured here,
once, when training is over.
"""

from torch import Tensor

from mnistedu.checkpoints import PRETRAINED, save_checkpoint
from mnistedu.data import load, make_loader, random_affine, random_stroke
from mnistedu.evaluation import accuracy, predict
from mnistedu.models import ConvNet
from mnistedu.training import fit, seed_everything

EPOCHS = 18


def augment(images: Tensor) -> Tensor:
    """What people draw: slanted, large or small, and with any pen."""
    return random_stroke(random_affine(images, degrees=15, scale=0.12, shear=0.2))


def main() -> None:
    seed_everything(0)
    digits = load("mnist")
    model = ConvNet()
    train_loader = make_loader(digits.train, shuffle=True, augment=augment)
    history = fit(model, train_loader, make_loader(digits.val, 1000), EPOCHS)
    save_checkpoint(model, PRETRAINED)

    test_accuracy = accuracy(*predict(model, make_loader(digits.test, 1000)))
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters:,} parameters, {PRETRAINED.stat().st_size / 1000:.0f} kB")
    print(f"{EPOCHS} epochs in {sum(history.seconds):.0f} s")
    print(f"validation accuracy {history.val_accuracy[-1]:.2%}")
    print(f"test accuracy       {test_accuracy:.2%}")


if __name__ == "__main__":
    main()
