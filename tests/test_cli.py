"""The command line does what its help says, and answers mistakes in a sentence."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner, Result

import mnistedu
from mnistedu import cli
from mnistedu.checkpoints import read_checkpoint, save_checkpoint
from mnistedu.kaggle import PIXELS, read_table
from mnistedu.models import MLP
from mnistedu.pad.pictures import encode
from mnistedu.preprocess import normalize
from mnistedu.reading import read_digit
from mnistedu.strokes import SAMPLES, rasterize
from mnistedu.training import History, fit

TRAIN = ["train", "--source", "offline", "--model", "mlp", "--hidden-sizes", "16"]
WRITTEN = {
    "best.safetensors",
    "last.safetensors",
    "metrics.json",
    "history.png",
    "gradient_norms.png",
    "confusion_matrix.png",
    "predictions.png",
}


def run(*args: object) -> Result:
    return CliRunner().invoke(cli.app, [str(arg) for arg in args])


def succeeds(*args: object) -> str:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(*args: object) -> str:
    """The one sentence that a mistake gets."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    last_line = result.stderr.splitlines()[-1]
    assert last_line.startswith("Error: ") and result.stderr.count("Error") == 1
    return last_line.removeprefix("Error: ")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run of four epochs."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    succeeds(*TRAIN, "--dropout", 0.1, "--epochs", 4, "--output", folder)
    return folder


def test_help_and_import_load_nothing_heavy():
    code = "import sys, mnistedu; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {name.split(".")[0] for name in loaded.split()} >= {"mnistedu"}
    assert "typer" not in loaded

    command = [sys.executable, "-X", "importtime", "-m", "mnistedu", "--help"]
    help_run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert all(name in help_run.stdout for name in ("train", "predict", "kaggle"))
    imported = {line.split("|")[-1].strip() for line in help_run.stderr.splitlines()}
    assert imported.isdisjoint({"torch", "numpy", "matplotlib", "sklearn"})


@pytest.mark.parametrize(
    "command", ["train", "evaluate", "predict", "export", "kaggle"]
)
def test_every_help_ends_with_examples(command):
    text = succeeds(command, "--help")
    assert f"\n    mnistedu {command}" in text.partition("Examples:")[2]


def test_train_writes_weights_figures_and_plots(trained):
    assert {path.name for path in trained.iterdir()} == WRITTEN
    for path in trained.glob("*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 300
    metrics = json.loads((trained / "metrics.json").read_text("utf-8"))
    assert metrics["data"] == "scikit-learn's digits"
    settings = metrics["settings"]
    expected = {"epochs": 4, "learning_rate": 0.01, "seed": 0, "processes": 1}
    assert settings.items() >= expected.items()
    assert settings["model"] == {"name": "MLP", "hidden_sizes": [16], "dropout": 0.1}
    assert settings["train_data"].items() >= {"batch_size": 128}.items()
    assert "random_affine" in settings["train_data"]["augment"]
    assert settings["train_data"]["images"].startswith("1,257 ")
    assert metrics["versions"]["torch"] == torch.__version__
    assert {len(values) for values in metrics["history"].values()} == {4}
    best = metrics["best_epoch"] - 1
    for figure in ("loss", "accuracy"):
        in_training = metrics["history"][f"val_{figure}"][best]
        assert metrics["validation"][figure] == pytest.approx(in_training)


def test_evaluate_repeats_the_figures_of_training(trained):
    args = ["--checkpoint", trained / "best.safetensors", "--source", "offline"]
    text = succeeds("evaluate", *args)
    figures = json.loads((trained / "metrics.json").read_text("utf-8"))["test"]
    assert f"accuracy {figures['accuracy']:.2%}" in text
    assert "precision    recall" in text and "360" in text
    text = succeeds("evaluate", *args, "--device", "cpu", "--json")
    assert json.loads(text) == {"data": "scikit-learn's digits", **figures}


def test_evaluate_measures_the_courses_own_network_if_none_is_named():
    answer = json.loads(succeeds("evaluate", "--source", "offline", "--json"))
    assert answer["accuracy"] > 0.97


def test_the_settings_on_record_are_those_that_trained_the_weights(trained):
    before = (trained / "metrics.json").read_text("utf-8")
    args = [*TRAIN, "--dropout", 0.1, "--epochs", 4, "--output", trained, "--resume"]
    assert "seed 0, not 7" in fails(*args, "--seed", 7)
    assert "random_affine" in fails(*args, "--no-augment")
    assert "batches 10, not 20" in fails(*args, "--batch-size", 64)
    assert (trained / "metrics.json").read_text("utf-8") == before


def test_a_run_on_rotated_digits_says_so_and_is_not_mixed_with_upright_ones(
    tmp_path, monkeypatch
):
    def no_mnist():
        raise ConnectionError("MNIST could not be downloaded.")

    monkeypatch.setattr("mnistedu.data._load_mnist", no_mnist)
    args = ["train", *TRAIN[3:], "--epochs", 1, "--output", tmp_path / "run"]
    assert "digits, rotated: 1,257 training" in succeeds(*args, "--source", "rotated")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    assert metrics["data"] == "scikit-learn's digits, rotated"
    assert "images 1,257" in fails(*args, "--source", "offline", "--resume")
    best = ["--checkpoint", tmp_path / "run" / "best.safetensors", "--json"]
    # Without --json, load says first that it takes the offline digits.
    answer = json.loads(succeeds("evaluate", *best, "--source", "rotated"))
    assert answer == {"data": metrics["data"], **metrics["test"]}


def test_a_finished_run_is_trained_further(tmp_path):
    args = [*TRAIN, "--output", tmp_path]
    succeeds(*args, "--epochs", 1)
    text = succeeds(*args, "--epochs", 3, "--resume")
    assert "epoch 1:" not in text and "epoch 3:" in text
    metrics = json.loads((tmp_path / "metrics.json").read_text("utf-8"))
    assert len(metrics["history"]["val_loss"]) == 3
    assert metrics["settings"]["epochs"] == 3
    assert metrics["settings"]["trained_before"] == 1


def test_an_interrupted_run_is_kept_and_resumes_bit_for_bit(
    trained, tmp_path, monkeypatch
):
    args = [*TRAIN, "--dropout", 0.1, "--epochs", 4, "--output", tmp_path, "--resume"]

    def ctrl_c(history):
        if len(history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cli, "say_epoch", ctrl_c)
        result = run(*args)  # there is nothing to resume yet
    assert result.exit_code == cli.INTERRUPTED
    assert "Interrupted after 2 of 4 epochs." in result.stdout
    assert "plots of 2 epochs" in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN

    succeeds(*args)
    for name in ("best.safetensors", "last.safetensors"):
        again = read_checkpoint(tmp_path / name).weights
        for key, value in read_checkpoint(trained / name).weights.items():
            assert torch.equal(again[key], value)


def test_ctrl_c_in_a_real_run_ends_it_in_order(tmp_path, ctrl_c_is_heard, start):
    command = ["-u", "-m", "mnistedu", *TRAIN, "--epochs", 5000]
    process = start(*command, "--output", tmp_path)
    for line in process.stdout:
        if line.startswith("epoch 2"):
            break
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == cli.INTERRUPTED
    assert "Traceback" not in stderr
    assert "Wrote" in stdout
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN


def test_a_run_before_its_first_epoch_leaves_nothing(tmp_path, monkeypatch):
    def batches(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("mnistedu.training.run.Run.batches", batches)
    result = run(*TRAIN, "--output", tmp_path)
    assert result.exit_code == cli.INTERRUPTED
    assert "nothing to write" in result.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}


def test_a_run_is_not_overwritten(trained):
    before = (trained / "last.safetensors").read_bytes()
    sentence = fails(*TRAIN, "--epochs", 1, "--output", trained)
    assert "already holds a run" in sentence and "--resume" in sentence
    assert (trained / "last.safetensors").read_bytes() == before


def test_other_settings_do_not_resume(trained):
    args = ["--output", trained, "--resume"]
    assert "epochs 4, not 3" in fails(*TRAIN, "--dropout", 0.1, "--epochs", 3, *args)
    assert "dropout 0.1, not 0.2" in fails(*TRAIN, "--dropout", 0.2, *args)
    assert "hidden sizes" in fails(*TRAIN[:-1], 32, "--epochs", 4, *args)


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["--epochs", "0"], "--epochs"),
        (["--epochs", "many"], "--epochs"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "-1"], "--learning-rate"),
        (["--learning-rate", "nan"], "--learning-rate"),
        (["--learning-rate", "inf"], "--learning-rate"),
        (["--dropout", "1"], "--dropout"),
        (["--seed", "-1"], "--seed"),
        (["--seed", str(2**32)], "--seed"),
        (["--model", "resnet"], "--model"),
        (["--source", "emnist"], "--source"),
        (["--blocks", "5"], "--blocks"),
        (["--model", "mlp", "--blocks", "2"], "--blocks is for --model convnet"),
        (["--hidden-sizes", "64"], "--hidden-sizes is for --model mlp"),
        (["--model", "mlp", "--hidden-sizes", "64,"], "whole numbers from 1"),
        (["--model", "mlp", "--hidden-sizes", "0"], "whole numbers from 1"),
        (["--model", "mlp", "--hidden-sizes", ""], "whole numbers from 1"),
        (["--device", "abacus"], "'abacus' cannot be used"),
        (["--device", "meta"], "'meta' cannot be used"),
        (["--device", "cuda:99"], "'cuda:99' cannot be used"),
        (["--epoks", "3"], "--epoks"),
    ],
)
def test_a_bad_value_gets_a_sentence(args, part, tmp_path):
    output = ["--source", "offline", "--output", tmp_path / "run"]
    assert part in fails("train", *output, *args)
    assert not (tmp_path / "run").exists()


def test_a_file_in_the_place_of_the_folder_gets_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    assert "--output" in fails(*TRAIN, "--output", tmp_path / "file")
    inside = tmp_path / "file" / "run"
    assert f"{inside} cannot be used: " in fails(*TRAIN, "--output", inside)


def test_a_loss_without_bounds_gets_a_sentence(csv_files, tmp_path, monkeypatch):
    failed = History(val_loss=[float("nan")])
    monkeypatch.setattr("mnistedu.training.fit", lambda *args, **options: failed)
    for command in (*TRAIN, "--output"), ("kaggle", *csv_files, "--output"):
        output = tmp_path / command[0]
        assert "the learning rate is too high" in fails(*command, output)
        assert not output.is_file() and not [*output.rglob("*")]


def test_mnist_out_of_reach_gets_a_sentence(tmp_path, monkeypatch):
    def load(source):
        raise ConnectionError("MNIST could not be downloaded.")

    monkeypatch.setattr("mnistedu.data.load", load)
    sentence = fails("train", "--source", "mnist", "--output", tmp_path)
    assert sentence == "MNIST could not be downloaded."


@pytest.fixture
def no_checkpoint(request, trained, tmp_path):
    """A path that cannot be read as a checkpoint, in the way that the test names."""
    path = tmp_path / "file.safetensors"
    if request.param == "truncated":
        path.write_bytes((trained / "best.safetensors").read_bytes()[:-100])
    elif request.param == "pickled":
        torch.save(MLP((16,)).state_dict(), path)
    elif request.param == "a folder":
        path.mkdir()
    elif request.param == "another architecture":
        save_checkpoint(nn.Linear(784, 10), path)
    return path


@pytest.mark.parametrize(
    ("no_checkpoint", "part"),
    [
        ("truncated", "damaged"),
        ("pickled", "damaged"),
        ("missing", "no checkpoint at"),
        ("a folder", "no checkpoint at"),
        ("another architecture", "holds a Linear"),
    ],
    indirect=["no_checkpoint"],
)
def test_what_is_no_checkpoint_gets_a_sentence(no_checkpoint, part):
    for sentence in (
        fails("evaluate", "--checkpoint", no_checkpoint, "--source", "offline"),
        fails("predict", "--checkpoint", no_checkpoint, "three.png"),
        fails("export", "--checkpoint", no_checkpoint),
    ):
        assert part in sentence and str(no_checkpoint) in sentence


@pytest.fixture
def pictures(offline, tmp_path):
    """Two digits as files, dark on light and light on dark, and what they are."""
    paths = [tmp_path / "dark.png", tmp_path / "light.png"]
    large = np.kron(offline.test.images[:2].numpy(), np.ones((4, 4), np.uint8))
    Image.fromarray(255 - large[0]).save(paths[0])
    Image.fromarray(large[1]).save(paths[1])
    return paths, offline.test.targets[:2].tolist()


def test_predict_prints_a_table(pictures):
    paths, digits = pictures
    head, *rows = succeeds("predict", *paths).splitlines()
    assert head.split() == ["image", "digit", "probability"]
    for path, digit, row in zip(paths, digits, rows, strict=True):
        name, answer, probability = row.split()
        assert name == str(path) and int(answer) == digit
        assert 10 < float(probability.removesuffix("%")) <= 100


def test_predict_says_what_looks_like_no_digit(pictures, monkeypatch):
    def doubtful(path, network):
        return read_digit(path, network)._replace(doubt=1.0)

    monkeypatch.setattr("mnistedu.reading.read_digit", doubtful)
    (_, *rows) = succeeds("predict", *pictures[0]).splitlines()
    assert all(row.endswith("  looks like no digit") for row in rows)


def test_predict_prints_json(pictures, trained):
    paths, digits = pictures
    assert [
        answer["digit"] for answer in json.loads(succeeds("predict", "--json", *paths))
    ] == digits
    checkpoint = ["--checkpoint", trained / "best.safetensors"]
    answer, _ = json.loads(succeeds("predict", "--json", *checkpoint, *paths))
    assert answer.keys() == {"image", "digit", "probabilities", "doubt"}
    assert answer["image"] == str(paths[0])
    assert sum(answer["probabilities"]) == pytest.approx(1)
    assert answer["digit"] == np.argmax(answer["probabilities"])


def test_a_name_that_the_terminal_cannot_say_loses_no_answer(pictures, tmp_path):
    paths, digits = pictures
    strange = tmp_path / "\u4e03.png"
    strange.write_bytes(paths[0].read_bytes())
    command = [sys.executable, "-m", "mnistedu", "predict", strange, paths[1]]
    narrow = os.environ | {"PYTHONIOENCODING": "cp1252:strict"}
    done = subprocess.run(command, env=narrow, capture_output=True, check=True)
    _, *rows = done.stdout.decode("cp1252").splitlines()
    assert [int(row.split()[1]) for row in rows] == digits
    assert rows[0].split()[0] == str(strange).replace("\u4e03", "\\u4e03")


def test_a_note_on_a_file_is_one_line_that_controls_no_terminal(tmp_path):
    frames = [Image.new("L", (60, 60), 255) for _ in range(2)]
    for frame in frames:
        frame.paste(0, (28, 10, 33, 50))
    path = tmp_path / "\x1b[31mone.gif"
    frames[1].putpixel((0, 0), 254)
    frames[0].save(path, save_all=True, append_images=frames[1:])
    result = run("predict", path)
    assert result.exit_code == 0
    (note,) = result.stderr.splitlines()
    assert "is animated: only its first frame is read." in note
    assert "\\x1b[31mone.gif" in note and "\x1b" not in note


def test_predict_opens_onnx_too(pictures, trained, tmp_path):
    paths, _ = pictures
    run_of, mine = trained / "best.safetensors", tmp_path / "mine.onnx"
    succeeds("export", "--checkpoint", run_of, "--output", mine)
    ours, theirs = (
        json.loads(succeeds("predict", "--json", "--checkpoint", network, *paths))
        for network in (mine, run_of)
    )
    for mine_says, it_said in zip(ours, theirs, strict=True):
        numbers = mine_says["probabilities"]
        assert numbers == pytest.approx(it_said["probabilities"], abs=1e-4)
    mine.write_bytes(b"no network")
    assert f"{mine} is damaged or no ONNX" in fails(
        "predict", "--checkpoint", mine, *paths
    )


def test_predict_on_what_is_no_image_gets_a_sentence(pictures, tmp_path):
    paths, _ = pictures
    assert "no image at" in fails("predict", paths[0], tmp_path / "none.png")
    text = tmp_path / "text.png"
    text.write_text("seven")
    assert f"{text} is damaged" in fails("predict", text)
    paths[1].write_bytes(paths[1].read_bytes()[:100])
    assert f"{paths[1]} is damaged" in fails("predict", *paths)
    blank = tmp_path / "blank.png"
    Image.new("L", (50, 50), 255).save(blank)
    assert f"{blank} is blank" in fails("predict", blank)
    answered = run("predict", paths[0], blank).stdout  # and the other is read
    assert str(paths[0]) in answered and str(blank) not in answered
    assert "IMAGE" in fails("predict")


def test_export_writes_the_network_with_all_that_its_checkpoint_says(trained, tmp_path):
    path = tmp_path / "new" / "mine.onnx"
    checkpoint = trained / "best.safetensors"
    text = succeeds("export", "--checkpoint", checkpoint, "--output", path)
    assert f"Wrote {path}, " in text
    exported = onnx.load(path)
    said = {entry.key: entry.value for entry in exported.metadata_props}
    info = read_checkpoint(checkpoint).info
    assert said.pop("mnistedu") == mnistedu.__version__
    assert said.pop("architecture") == info.pop("architecture") == "MLP"
    assert {key: json.loads(value) for key, value in said.items()} == info


def test_export_without_onnx_gets_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    sentence = fails("export", "--output", tmp_path / "mine.onnx")
    assert "pip install onnx onnxscript" in sentence
    assert not any(tmp_path.iterdir())


@pytest.fixture
def csv_files(offline, tmp_path):
    """Kaggle's two files: 60 known digits and 7 unknown ones."""
    pixels = offline.train.images[:67].flatten(1).numpy()
    known = np.column_stack([offline.train.targets[:60].numpy(), pixels[:60]])
    paths = tmp_path / "train.csv", tmp_path / "test.csv"
    for path, table, names in (
        (paths[0], known, ["label", *PIXELS]),
        (paths[1], pixels[60:], PIXELS),
    ):
        np.savetxt(
            path, table, "%d", delimiter=",", header=",".join(names), comments=""
        )
    return paths


def test_kaggle_writes_a_submission(csv_files, tmp_path, offline, monkeypatch):
    def predict(network, loader):
        given.append(torch.cat([images for images, _ in loader]))
        return nn.functional.one_hot(torch.tensor([3, 1, 4, 1, 5, 9, 2])).float(), None

    def train(network, train_loader, val_loader, epochs, **options):
        lengths.extend(len(each.tensors[1]) for each in (train_loader, val_loader))
        return fit(network, train_loader, val_loader, epochs, **options)

    given: list[torch.Tensor] = []
    lengths: list[int] = []
    monkeypatch.setattr("mnistedu.evaluation.predict", predict)
    monkeypatch.setattr("mnistedu.training.fit", train)
    submission = tmp_path / "new" / "submission.csv"
    text = succeeds("kaggle", *csv_files, "--epochs", 1, "--output", submission)
    assert f"Wrote {submission}, 7 answers." in text
    head, *rows = submission.read_text("utf-8").splitlines()
    assert head == "ImageId,Label"
    assert rows == ["1,3", "2,1", "3,4", "4,1", "5,5", "6,9", "7,2"]
    assert torch.equal(given[0], normalize(offline.train.images[60:67]))
    assert lengths == [54, 6]  # a tenth to validate on


def test_kaggle_with_a_single_digit_gets_a_sentence(csv_files):
    known, unknown = csv_files
    known.write_text("\n".join(known.read_text("utf-8").splitlines()[:2]), "utf-8")
    sentence = fails("kaggle", known, unknown)
    assert "one row, too few to train and validate on" in sentence


def test_kaggle_tables_come_back_value_for_value(csv_files, offline):
    table = read_table(csv_files[0], ["label", *PIXELS])
    assert torch.equal(table[:, 0].long(), offline.train.targets[:60])
    assert torch.equal(table[:, 1:], offline.train.images[:60].flatten(1))
    csv_files[0].write_bytes(b"\xef\xbb\xbf" + csv_files[0].read_bytes() + b"\r\n")
    assert torch.equal(read_table(csv_files[0], ["label", *PIXELS]), table)


def replaced(path, line, column, value):
    """The file with another value in one place, all counted from 1."""
    rows = [row.split(",") for row in path.read_text("utf-8").splitlines()]
    rows[line - 1][column - 1 : column] = value
    path.write_text("\n".join(map(",".join, rows)), "utf-8")


@pytest.mark.parametrize(
    ("line", "column", "value", "part"),
    [
        (3, 1, ["11"], "line 3 should have a whole number from 0 to 9 as label"),
        (3, 1, [""], "0 to 9 as label, and has ''"),
        (4, 5, ["dark"], "line 4 should have a whole number from 0 to 255 as pixel3"),
        (4, 5, ["256"], "0 to 255 as pixel3, and has '256'"),
        (4, 5, ["-1"], "and has '-1'"),
        (4, 5, ["0.5"], "and has '0.5'"),
        (4, 5, ["1_0"], "line 4 should have a whole number from 0 to 255 as pixel3"),
        (4, 5, ["1" * 200_000], "and has '11111111111111111111'"),
        (4, 5, ["x" * 200_000], "and has 'xxxxxxxxxxxxxxxxxxxx'"),
        (61, 785, [], "line 61 should have 785 values, and has 784"),
        (2, 785, ["0", "0"], "line 2 should have 785 values, and has 786"),
        (1, 1, ["Label"], "column 1 should be label, and is 'Label'"),
        (1, 785, [], "column 785 should be pixel783, and is 'nothing'"),
        (1, 785, ["pixel783", "x"], "column 786 should be nothing, and is 'x'"),
    ],
)
def test_kaggle_says_what_is_wrong_and_where(csv_files, line, column, value, part):
    replaced(csv_files[0], line, column, value)
    sentence = fails("kaggle", *csv_files)
    assert str(csv_files[0]) in sentence and part in sentence


def test_kaggle_with_files_that_are_no_tables(csv_files, tmp_path):
    known, unknown = csv_files
    assert "column 1 should be label" in fails("kaggle", unknown, known)
    assert "does not exist" in fails("kaggle", known, tmp_path / "none.csv")
    unknown.write_text(",".join(PIXELS), "utf-8")
    assert "has no rows" in fails("kaggle", known, unknown)
    unknown.write_bytes(bytes(range(256)))
    assert "column 1 should be pixel0" in fails("kaggle", known, unknown)
    unknown.write_bytes(b"")
    assert "column 1 should be pixel0, and is 'nothing'" in fails(
        "kaggle", known, unknown
    )


def test_kaggle_overwrites_no_table_that_it_reads(csv_files):
    for table in csv_files:
        before = table.read_bytes()
        sentence = fails("kaggle", *csv_files, "--output", table)
        assert f"{table} is one of the tables to read" in sentence
        assert table.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="there everything may be replaced")
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    csv_files, monkeypatch
):
    monkeypatch.setattr("mnistedu.training.fit", pytest.fail)
    for output in ("/dev/full", "/proc/nobody/a.csv"):
        assert output.split("/a.")[0] in fails("kaggle", *csv_files, "--output", output)
        assert output.split("/a.")[0] in fails("export", "--output", output)
    sentence = fails(*TRAIN, "--epochs", 1, "--output", "/proc/nobody")
    assert "/proc/nobody cannot be used" in sentence


def test_a_reader_that_has_gone_ends_no_training(tmp_path, start):
    command = ["-m", "mnistedu", *TRAIN, "--epochs", 3, "--output", tmp_path / "run"]
    process = start(*command)
    process.stdout.close()  # as `head -1` does
    process.wait(120)
    assert process.returncode == 0
    assert (tmp_path / "run" / "metrics.json").exists()


def test_control_characters_are_shown_and_not_sent(tmp_path):
    path = tmp_path / "red\x1b[31m.png"
    path.write_bytes(encode(1 - rasterize(SAMPLES[3])[0, 0]))
    assert "red\\x1b[31m.png" in succeeds("predict", path)
    assert "red\\x1b[31m.gif" in fails("predict", path.with_suffix(".gif"))
