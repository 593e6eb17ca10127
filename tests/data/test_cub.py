"""The birds' official layout: records from the lists, pictures from JPEG files."""

import numpy as np
import pytest

from stn_ref.data.cub import load_cub, load_pictures, read_birds

NAMES = {3: "001.A_bird/a.jpg", 1: "200.Z_bird/z.jpg"}
LISTS = {
    "images": "3 001.A_bird/a.jpg\n1 200.Z_bird/z.jpg\n",
    "image_class_labels": "1 200\n3 1\n",
    "train_test_split": "1 0\n3 1\n",
    "bounding_boxes": "1 0.0 0.0 8.0 9.5\n3 2.5 1.0 4.0 3.0\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in LISTS.items():
        (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


def save(path, array):
    """A picture from uint8 (H, W, 3) or (H, W)."""
    image = pytest.importorskip("PIL.Image")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.fromarray(array).save(path)


def test_records_are_joined_by_number_in_the_order_of_the_images(folder):
    first, second = read_birds(folder)
    assert (first.number, first.label, first.train, first.box) == (3, 0, True, (2.5, 1.0, 4.0, 3.0))
    assert (second.number, second.label, second.train, second.box) == (1, 199, False, (0.0, 0.0, 8.0, 9.5))
    assert first.path == folder / "images" / "001.A_bird" / "a.jpg"


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("images", "3 ../../secret.jpg", "line 1 is '3 ../../secret.jpg', expected a number, a space, and a"),
        ("images", "3 /etc/secret.jpg", "line 1 is '3 /etc/secret.jpg', expected"),
        ("images", "three a.jpg", "line 1 is 'three a.jpg', expected a number"),
        ("image_class_labels", "1 201", "line 1 is '1 201', expected a number, a space, and a class"),
        ("image_class_labels", "1 0", "a class from 1 to 200"),
        ("train_test_split", "1 2", r"expected a number, a space, and 1 \(training\) or 0 \(test\)"),
        ("bounding_boxes", "1 1.0 2.0 3.0", "left, top, width and height in pixels"),
        ("bounding_boxes", "1 1.0 2.0 0.0 5.0", "left, top, width and height in pixels"),
        ("bounding_boxes", "1 nan 2.0 1.0 5.0", "left, top, width and height in pixels"),
        ("train_test_split", "1 1\n1 0", "line 2 has number 1 for the second time"),
        ("train_test_split", "1 1", "it lists 1 pictures and images.txt 2; number 3 is in images.txt only"),
        ("images", "3 a.jpg", "images.txt 1; number 1 is in image_class_labels.txt only"),
    ],
)
def test_a_wrong_list_is_refused_by_file_and_line(folder, name, line, message):
    (folder / f"{name}.txt").write_text(line)
    with pytest.raises(ValueError, match=message) as caught:
        read_birds(folder)
    assert str(caught.value).startswith(f"read_birds: {folder}")


@pytest.mark.parametrize("name", LISTS)
def test_a_missing_list_is_named(folder, name):
    (folder / f"{name}.txt").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}\.txt does not exist; give the folder CUB_200_2011"):
        read_birds(folder)


def test_each_split_is_loaded_with_its_classes(folder):
    for number, name in NAMES.items():
        save(folder / "images" / name, np.full((9, 12, 3), 60 * number, np.uint8))
    images, labels = load_cub(folder, "train", size=6)
    assert (images.shape, images.dtype, labels.tolist()) == ((1, 3, 6, 6), np.uint8, [0])
    assert (np.abs(images.astype(int) - 180) <= 2).all()
    images, labels = load_cub(folder, "test", size=6)
    assert (np.abs(images.astype(int) - 60) <= 2).all()
    assert labels.tolist() == [199]
    with pytest.raises(ValueError, match="split is 'valid', expected one of 'train', 'test'"):
        load_cub(folder, "valid")


def test_the_middle_square_is_taken_and_channels_come_first(tmp_path):
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 2:6] = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    picture[:, [1, 6]] = 255
    save(tmp_path / "a.png", picture)
    save(tmp_path / "b.png", np.moveaxis(picture, 0, 1))
    wide, high = load_pictures([tmp_path / "a.png", tmp_path / "b.png"], 4)
    assert (wide == np.moveaxis(picture[:, 2:6], -1, 0)).all()
    assert (high == wide.transpose(0, 2, 1)).all()


def test_a_grey_picture_gets_three_channels(tmp_path):
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4)
    save(tmp_path / "a.png", grey)
    assert (load_pictures([tmp_path / "a.png"], 4)[0] == grey).all()


def test_shrinking_averages(tmp_path):
    save(tmp_path / "a.png", np.array([[0, 200] * 8, [200, 0] * 8] * 8, np.uint8))
    assert (np.abs(load_pictures([tmp_path / "a.png"], 2).astype(int) - 100) <= 1).all()


@pytest.mark.parametrize("content", [b"", b"<html>", "cut"])
def test_a_damaged_picture_is_named(tmp_path, content):
    path = tmp_path / "a.jpg"
    save(path, np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:900] if content == "cut" else content)
    with pytest.raises(ValueError, match=r"load_pictures: .*a\.jpg: this is no whole picture"):
        load_pictures([path], 4)


def test_a_missing_picture_is_named(folder):
    pytest.importorskip("PIL.Image")
    with pytest.raises(FileNotFoundError, match=r"images/001\.A_bird/a\.jpg"):
        load_cub(folder, "train")
